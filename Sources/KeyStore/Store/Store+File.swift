/// What the outside has to know of the file that the store is.
extension Store {
    /// Names the store for people.
    package var location: String { path }

    /// The folder that changes when the store does, and on whose disk the store is.
    package var folder: String { PrivateFile.directory(of: path) }

    /// Whether there is any file in the store's place.
    package var isInPlace: Bool { PrivateFile.exists(path) }

    /// A new detector of changes, and of what becomes of the file. Changes made through this very store count as another's.
    package func makeChangeDetector() throws -> ChangeDetector {
        try explaining { try ChangeDetector(path: path, patience: 5) }
    }

    /// An error as one of the store's.
    package func explained(_ error: any Error) -> StoreError {
        error as? StoreError ?? StoreError.unexpected(error, path: path)
    }
}
