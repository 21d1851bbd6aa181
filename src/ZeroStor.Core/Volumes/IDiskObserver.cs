namespace ZeroStor.Volumes;

/// <summary>Told by a disk's writer what it did, for measuring. It is called between the sync and the answers that
/// wait for it, so it must neither wait nor throw. Thread-safe.</summary>
public interface IDiskObserver
{
    /// <summary>Records of so many bytes were made durable by one sync, which took so long.</summary>
    void Synced(DiskId disk, long bytes, TimeSpan sync);
}
