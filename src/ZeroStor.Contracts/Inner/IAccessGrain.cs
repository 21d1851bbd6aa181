namespace ZeroStor.Contracts.Inner;

/// <summary>The access keys, for silos. The key is 0. Refused to clients.</summary>
[Alias("zs.access")]
public interface IAccessGrain : IGrainWithIntegerKey
{
    /// <summary>Wraps the secrets under the master key that the catalog names, where they are under another; how many
    /// were.</summary>
    /// <exception cref="ZeroStorException">Unavailable: somebody else changed the keys meanwhile.</exception>
    [Alias("hold-under-standing")]
    Task<int> HoldUnderStandingAsync(CancellationToken cancel);
}
