internal import GRDB
internal import Keys

/// Puts alerts into the outbox, many in one transaction.
struct OutboxWriter {
    private let now: Instant
    private let insertion: RawStatement
    private var generator = SystemRandomNumberGenerator()

    init(_ db: Database, at now: Instant) throws {
        self.now = now
        insertion = try RawStatement(
            db, "INSERT INTO alerts (alert_id, kind, priority, message, fields, created_at) VALUES (?, ?, ?, ?, ?, ?)")
    }

    mutating func add(_ alert: Alert) throws {
        var fields = JSONLine()
        for field in Alert.Field.allCases {
            if let value = alert.fields[field] { fields.add(field.rawValue, value) }
        }
        insertion.bind(1, newID())
        insertion.bind(2, alert.kind.rawValue)
        insertion.bind(3, Int64(alert.priority.rawValue))
        insertion.bind(4, alert.message)
        insertion.bind(5, fields.line)
        insertion.bind(6, now.milliseconds)
        try insertion.run()
    }

    /// 128 bits as 32 hexadecimal digits: milliseconds since 1970, then 80 random bits (the layout of a UUID of version 7,
    /// RFC 9562, section 5.7, without its version). In the order of time, so that new ones go to the end of their index.
    private mutating func newID() -> String {
        let words: [UInt64] = [
            UInt64(bitPattern: now.milliseconds) << 16 | generator.next() & 0xFFFF, generator.next(),
        ]
        let digits = (0..<32).map { index in
            Self.hexadecimal[Int(words[index / 16] >> UInt64(60 - index % 16 * 4) & 15)]
        }
        return String(decoding: digits, as: UTF8.self)
    }

    private static let hexadecimal = Array("0123456789abcdef".utf8)
}
