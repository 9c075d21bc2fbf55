import Keyvigil

Program.start()
