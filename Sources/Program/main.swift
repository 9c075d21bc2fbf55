import Keyvigil

// One program with two names: `keyvigild` is a link to `keyvigil`.
let name = CommandLine.arguments.first?.split(separator: "/").last
if name == "keyvigild" { KeyvigildCommand.start() } else { KeyvigilCommand.start() }
