internal import Glibc
internal import Keys

/// The local time, by the time zone of the process (tzset(3)). Unsafe code: the C library fills a structure of its own, and names
/// the zone.
struct LocalTime {
    let year: Int
    let month: Int
    let day: Int
    let hour: Int
    let minute: Int
    let second: Int
    /// The abbreviation of the zone, such as `CET`.
    let zone: String

    init(_ instant: Instant) {
        var seconds = time_t(instant.milliseconds / 1000)
        var fields = unsafe tm()
        unsafe localtime_r(&seconds, &fields)
        year = Int(unsafe fields.tm_year) + 1900
        month = Int(unsafe fields.tm_mon) + 1
        day = Int(unsafe fields.tm_mday)
        hour = Int(unsafe fields.tm_hour)
        minute = Int(unsafe fields.tm_min)
        second = Int(unsafe fields.tm_sec)
        let name = unsafe fields.tm_zone
        zone = unsafe name.map { unsafe String(cString: $0) } ?? "UTC"
    }

    /// The instant at which the zone's clocks show what those of UTC show at `shown`.
    static func instant(showing shown: Instant) -> Instant {
        var seconds = time_t(shown.milliseconds / 1000)
        var fields = unsafe tm()
        unsafe gmtime_r(&seconds, &fields)
        return unsafe resolved(&fields)
    }

    /// The start of a day, `daysBefore` days before that of an instant.
    static func startOfDay(of instant: Instant, daysBefore: Int = 0) -> Instant {
        let day = LocalTime(instant)
        var fields = unsafe tm()
        unsafe fields.tm_year = Int32(day.year - 1900)
        unsafe fields.tm_mon = Int32(day.month - 1)
        // A day below 1 counts into the month before (mktime(3)).
        unsafe fields.tm_mday = Int32(day.day - daysBefore)
        return unsafe resolved(&fields)
    }

    private static func resolved(_ fields: inout tm) -> Instant {
        // Whether it is summer time is left to the zone.
        unsafe fields.tm_isdst = -1
        let seconds = unsafe mktime(&fields)
        return max(Instant(milliseconds: Int64(seconds) * 1000), .earliest)
    }
}
