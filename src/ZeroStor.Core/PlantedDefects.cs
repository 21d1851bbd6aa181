namespace ZeroStor;

/// <summary>Defects that tests plant in the real code, one at a time, to see the proofs find them: a proof
/// that finds none proves nothing. Nothing else sets them. The type is internal, so no setting, message or
/// public member can carry it; a test holds that. What can be planted from outside, behind the files or
/// before the homes, is not here.</summary>
[Flags]
internal enum PlantedDefects
{
    None = 0,

    /// <summary>A disk answers a batch before its sync has ended.</summary>
    AnswersBeforeSync = 1,

    /// <summary>A disk forgets what it is told to reclaim, and writes no record of it.</summary>
    DropsDeleteRecords = 2,

    /// <summary>A read holds a shard against the sum that its home states, not against the stripe's sums.
    /// </summary>
    ReadTrustsHomes = 4,

    /// <summary>A repair takes the sums that homes state for the stripe's.</summary>
    RepairTrustsHomes = 8,

    /// <summary>A stripe is acknowledged below its write floor.</summary>
    IgnoresWriteFloor = 16,

    /// <summary>A repair tells no place that still lacks shards.</summary>
    HidesPlacesLeft = 32,

    /// <summary>A read takes the record where the index says a shard is for that shard's, whosever it is.
    /// </summary>
    ReadTrustsIndex = 64,

    /// <summary>A batch that was laid while another was synced is answered as if that sync had been its own.
    /// </summary>
    AnswersByEarlierSync = 128,
}
