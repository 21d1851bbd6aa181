namespace ZeroStor.Tests.Proofs;

/// <summary>What a proof holds the fabric to.</summary>
internal enum Promise
{
    /// <summary>What was acknowledged is there, however often the power fails.</summary>
    AcknowledgedIsKept,

    /// <summary>What was reclaimed does not come back.</summary>
    ReclaimedIsGone,

    /// <summary>Lists and digests tell what can be read, and nothing that was not put.</summary>
    NothingElseIsSeen,

    /// <summary>A disk opens and takes shards however it ended.</summary>
    RestartsByItself,

    /// <summary>A stripe stands on as many homes as its answer says, and not on fewer than the write
    /// floor.</summary>
    AcknowledgedIsSpread,

    /// <summary>A read gives what was put while at most m shards are lost or lied about, and else that or an
    /// error.</summary>
    ReadsAreRight,

    /// <summary>A repair brings right shards to all homes that are there, and never a wrong one.</summary>
    RepairsAreRight,

    /// <summary>A place without former homes has all that was acknowledged.</summary>
    WholeIsWhole,
}

/// <summary>A proof found a promise broken. Who catches it says the seed.</summary>
internal sealed class BrokenPromiseException(Promise promise, string how) : Exception($"{promise}: {how}")
{
    public Promise Promise => promise;

    public string How => how;

    public static void Unless(bool isKept, Promise promise, string how)
    {
        if (!isKept)
        {
            throw new BrokenPromiseException(promise, how);
        }
    }
}
