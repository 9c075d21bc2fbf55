internal import CLinux
internal import Keys

/// When the program was built: no clock that shows less is right.
enum BuildDate {
    /// The start of the day before, so that no time zone matters.
    static let instant = Instant(milliseconds: Int64(keyvigil_build_day() - 1) * 86_400_000)
}
