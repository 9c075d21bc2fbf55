import Keyvigil
