import Keyvigil

KeyvigilCommand.start()
