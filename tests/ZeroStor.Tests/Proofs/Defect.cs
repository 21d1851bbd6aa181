namespace ZeroStor.Tests.Proofs;

/// <summary>Defects that proofs are run with. Those that <see cref="Defects.InCore"/> knows are planted in
/// the product itself, the others around it.</summary>
internal enum Defect
{
    None,

    /// <summary>Every third sync of a volume returns at once and syncs nothing.</summary>
    SkippedSync,

    /// <summary>Syncs of folders return at once and sync nothing.</summary>
    SkippedFolderSync,

    /// <summary>Volumes of all lives of a device have one generation, as if nobody compared it.</summary>
    SameGeneration,

    /// <summary>A home answers before its sync has ended, and what is committed then may not be
    /// durable.</summary>
    AnswerBeforeSync,

    /// <summary>A batch that was laid while another was synced is answered by that sync.</summary>
    AnswerByEarlierSync,

    DroppedDeleteRecord,
    TrustInIndex,

    /// <summary>Homes take appends under epochs that are over.</summary>
    StaleEpoch,

    TrustInReading,
    TrustInRepair,
    IgnoredWriteFloor,
    HiddenPlacesLeft,
}

internal static class Defects
{
    internal static PlantedDefects InCore(this Defect defect) => defect switch
    {
        Defect.AnswerBeforeSync => PlantedDefects.AnswersBeforeSync,
        Defect.AnswerByEarlierSync => PlantedDefects.AnswersByEarlierSync,
        Defect.DroppedDeleteRecord => PlantedDefects.DropsDeleteRecords,
        Defect.TrustInIndex => PlantedDefects.ReadTrustsIndex,
        Defect.TrustInReading => PlantedDefects.ReadTrustsHomes,
        Defect.TrustInRepair => PlantedDefects.RepairTrustsHomes,
        Defect.IgnoredWriteFloor => PlantedDefects.IgnoresWriteFloor,
        Defect.HiddenPlacesLeft => PlantedDefects.HidesPlacesLeft,
        _ => PlantedDefects.None,
    };
}
