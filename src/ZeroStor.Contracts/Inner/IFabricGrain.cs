using ZeroStor.Contracts.Doors;

namespace ZeroStor.Contracts.Inner;

/// <summary>Changes the map by compare-and-set on its tables. The key is 0. Refused to clients.</summary>
[Alias("zs.fabric")]
public interface IFabricGrain : IGrainWithIntegerKey
{
    /// <summary>The class for a code and spread, made with its groups when the fabric has none yet.</summary>
    /// <exception cref="ZeroStorException">PolicyUnsatisfiable.</exception>
    [Alias("ensure-class")]
    Task<ClassId> EnsureClassAsync(Code code, Spread spread, CancellationToken cancel);
}

/// <summary>Keeps the fabric whole and clean: gives the places of lost disks to others, restores what homes
/// lack, reclaims the dead. The key is 0. Refused to clients.</summary>
[Alias("zs.repair")]
public interface IRepairSchedulerGrain : IGrainWithIntegerKey
{
    /// <summary>Makes sure that it runs; done by every silo at its start.</summary>
    [Alias("wake")]
    Task WakeAsync();

    /// <summary>How repair stands; <paramref name="hurry"/> begins a round at once.</summary>
    [Alias("progress")]
    Task<RepairProgress> ProgressAsync(bool hurry);

    /// <summary>How the census stands; <paramref name="begin"/> takes one at once.</summary>
    [Alias("census")]
    Task<CensusProgress> CensusAsync(bool begin);

    /// <summary>How the adoption of a catalog that went back stands; <paramref name="step"/> begins one.
    /// </summary>
    [Alias("adopt")]
    Task<AdoptProgress> AdoptAsync(AdoptStep step, CancellationToken cancel);
}
