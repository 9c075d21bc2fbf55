/// Secrets that providers print in their own documentation and that are copied with it into many projects.
enum PublicExample {
    /// Whether a whole secret is one of them.
    static func isOne(_ secret: borrowing Span<UInt8>) -> Bool {
        digests.contains(Hexadecimal.text(KeyedHash.digest(of: secret)))
    }

    /// Their SHA-256, so that no program that looks for secrets finds them here.
    private static let digests: Set = [
        // The test keys in Stripe's API reference, its guides and its sample projects.
        "2cafc0970149a84f3b9e62eaf169f36f59907a3b3e31f7b82e68c69cd27f7326",
        "f2d6ca16515033e5dce14eba840b979d27b5cbae24bb3e5bf484339667f86397",
        "2d1f7723aabc5c7a51fcdc2463c99b5f3fdbc57cf3134db4ac12913c35976e6f",
        // The token in the answer of oauth.v2.access in Slack's reference.
        "2ddc147f3a3b5a1722b8ed6be3c45c49a7156b17fca5d11410137a6d04def6eb",
        // The key in SendGrid's reference of its headers.
        "02091175c1ae3023fb1e92ff16e1a5ca44dcd9f449916770f7d4eb192092e273",
    ]
}
