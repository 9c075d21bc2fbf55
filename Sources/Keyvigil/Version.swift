/// The version of both programs (semver.org). CHANGELOG.md and debian/changelog name the same.
let keyvigilVersion = "0.1.0"
