namespace ZeroStor.Volumes;

/// <summary>What a check of a disk can find. Scripts know these names: never rename one.</summary>
public enum DiskFindingKind
{
    /// <summary>One of the two slots of the superblock.</summary>
    Superblock,

    /// <summary>A volume that the superblock names and the folder lacks.</summary>
    MissingVolume,

    /// <summary>One copy of a volume's header, or both.</summary>
    VolumeHeader,

    /// <summary>A volume of another disk, or of another life of this folder.</summary>
    ForeignVolume,

    /// <summary>A record's header, or more than one record.</summary>
    RecordHeader,

    RecordExtensions,

    RecordPayload,

    /// <summary>A volume that is shorter than what was synced of it.</summary>
    ShortVolume,

    FooterDamaged,

    /// <summary>A whole footer that says what the records do not.</summary>
    FooterWrong,

    /// <summary>Bytes that the device does not give.</summary>
    Unreadable,

    // What follows is told and is no damage.

    /// <summary>What was being written when the disk ended, and was never acknowledged.</summary>
    TornTail,

    /// <summary>A volume that was being made when the disk ended.</summary>
    UnfinishedVolume,

    FooterMissing,

    /// <summary>Bytes without a meaning that should be zeros, and are never read.</summary>
    Filler,

    /// <summary>Something that no disk put there.</summary>
    UnknownFile,

    FooterWritten,
}

/// <summary>One thing that a check of a disk found.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="File">Where, below the disk's folder.</param>
/// <param name="Offset">Where in the file.</param>
/// <param name="What">One sentence without its full stop: what it is and what it means.</param>
/// <param name="Advice">What to do about it.</param>
public sealed record DiskFinding(DiskFindingKind Kind, string File, long Offset, string What, string Advice)
{
    /// <summary>Whether something is not as it was written. Else it is what a disk may look like that was not
    /// closed in order, or had no room, or is nothing of the disk's.</summary>
    public bool IsDamage => Kind < DiskFindingKind.TornTail;
}
