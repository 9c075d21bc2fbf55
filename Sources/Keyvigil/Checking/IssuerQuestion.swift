internal import Glibc
internal import Keys
internal import Systemd

/// Asks an issuer whether it accepts a secret, through curl(1), so that TLS, proxies and certificates are the system's.
///
/// The secret goes to curl on its standard input, in a configuration of its own (curl(1), `--config -`): it is in no
/// argument, file or environment variable. No redirection is followed, and nothing of the answer is kept but its status.
struct IssuerQuestion {
    private let check: IssuerCheck
    private let address: String
    private let form: IssuerProfile.AuthorizationForm
    private let environment: [String: String]

    /// - Parameter environment: the process's; what it says of proxies and certificates holds for the question.
    /// - Throws: ``InputError`` where the profile does not say how to ask about the key.
    init(_ profile: IssuerProfile, for key: Key, environment: [String: String]) throws(InputError) {
        guard key.kind == .apiKey else {
            throw InputError(
                "\(DisplayText.quoted(key.name)) is a consent, and the profile of \(profile.title) says how to ask about API keys",
                hint: profile.consents?.revokeSteps.map { "to end the consent: \($0)" })
        }
        guard let check = profile.check else {
            throw InputError(
                "the profile of \(profile.title) does not say how to ask it about a secret",
                hint: "add [check] to a profile of yours in /etc/keyvigil/issuers; keyvigil.toml there explains it")
        }
        guard let address = check.addresses[key.environment] else {
            let environment = key.environment.rawValue
            throw InputError(
                "the profile of \(profile.title) does not say how to ask about \(environment) keys",
                hint: "add \(key.environment == .live ? "url" : "\(environment)_url") to its [check]")
        }
        self.check = check
        self.address = address
        form = profile.authorization
        self.environment = environment
    }

    /// The host that is asked, for people.
    var host: String { String(address.dropFirst("https://".count).prefix { $0 != "/" && $0 != "?" }) }

    /// Asks once. It takes at most the profile's timeout. What the address does not answer is not asked.
    ///
    /// - Throws: ``InputError`` where there is no curl.
    func ask(_ secret: borrowing Secret) throws -> IssuerAnswer {
        if let brand = check.uncheckedBrands.first(where: { brand in
            secret.withBytes { bytes in
                bytes.count >= brand.utf8.count && brand.utf8.enumerated().allSatisfy { bytes[$0.offset] == $0.element }
            }
        }) {
            return .unknown("it was not asked: its profile says that secrets with \(brand) cannot be checked")
        }
        let isSendable = secret.withBytes { bytes in bytes.indices.allSatisfy { bytes[$0] > 0x20 && bytes[$0] < 0x7f } }
        guard isSendable else {
            throw InputError(
                "the secret holds characters that cannot be sent in a header", hint: "copy it again, whole")
        }
        guard let curl = Self.places.first(where: { unsafe access($0, X_OK) == 0 }) else {
            throw InputError("curl is not installed, so the issuer cannot be asked", hint: "apt-get install curl")
        }
        let configuration = configuration(secret)
        let result = try configuration.withBytes { bytes in
            // curl ends by itself at the timeout; a little later it is killed.
            try ChildProcess.run(
                curl, ["-q", "--config", "-"], environment: curlEnvironment, input: bytes,
                milliseconds: Int(check.timeout.milliseconds) + 5_000)
        }
        return answer(result)
    }

    private static let places = ["/usr/bin/curl", "/bin/curl", "/usr/local/bin/curl"]

    private func answer(_ result: ChildProcess.Result) -> IssuerAnswer {
        if result.isOverdue { return .unknown("it did not answer within \(check.timeout)") }
        guard result.status == 0 else {
            let first = result.errors.split(separator: "\n").first.map(String.init) ?? ""
            let why =
                first.isEmpty ? "curl ended with status \(result.status.map(String.init) ?? "by a signal")" : first
            return .unknown(DisplayText.escaped(why, limit: 200))
        }
        guard let status = Int(result.output.prefix { $0.isNumber }) else {
            return .unknown("curl did not say what was answered")
        }
        return check.answer(status: status)
    }

    /// What curl reads: long names of its options, a line each.
    private func configuration(_ secret: borrowing Secret) -> Secret {
        let seconds = Double(check.timeout.milliseconds) / 1000
        var head = """
            silent
            show-error
            globoff
            proto = "=https"
            tlsv1.2
            max-time = \(seconds)
            output = "/dev/null"
            write-out = "%{http_code}"
            user-agent = "keyvigil/\(keyvigilVersion)"
            url = "\(address)"

            """
        head += check.method == "HEAD" ? "head\n" : "request = \"\(check.method)\"\n"
        head += "header = \"" + (check.header ?? "Authorization") + ": "
        if check.header == nil, form == .bearer { head += "Bearer " }
        var text = Secret(capacity: head.utf8.count + 2 * secret.count + 2)
        text.append(contentsOf: head.utf8)
        secret.withBytes { bytes in
            for index in bytes.indices {
                if bytes[index] == UInt8(ascii: "\"") || bytes[index] == UInt8(ascii: "\\") {
                    text.append(UInt8(ascii: "\\"))
                }
                text.append(bytes[index])
            }
        }
        text.append(contentsOf: "\"\n".utf8)
        return text
    }

    /// What curl takes from the environment (curl(1), ENVIRONMENT), and nothing else of it.
    private var curlEnvironment: [String: String] {
        let names: Set = [
            "http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir", "curl_ca_bundle",
        ]
        var kept = environment.filter { names.contains($0.key.lowercased()) }
        kept["PATH"] = "/usr/bin:/bin"
        kept["LC_ALL"] = "C"
        return kept
    }
}
