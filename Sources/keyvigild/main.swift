import Keyvigil

KeyvigildCommand.start()
