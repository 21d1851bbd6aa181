using ZeroStor.Contracts.Doors;

namespace ZeroStor.Contracts.Inner;

/// <summary>A vault's secrets, for silos. The key is the vault's name. Refused to clients.</summary>
[Alias("zs.vault")]
public interface IVaultGrain : IGrainWithStringKey
{
    /// <exception cref="ZeroStorException">NotFound.</exception>
    [Alias("open")]
    Task<VaultSecrets> OpenAsync(CancellationToken cancel);

    /// <summary>Begins an epoch, unless there is a later one than <paramref name="seen"/> already.</summary>
    /// <exception cref="ZeroStorException">NotFound; Unavailable: another silo changed the keys meanwhile.</exception>
    [Alias("begin-epoch")]
    Task<VaultSecrets> BeginEpochAsync(uint seen, CancellationToken cancel);

    /// <summary>Wraps the private keys under the master key that the catalog names, where they are under another; whether
    /// they were.</summary>
    /// <exception cref="ZeroStorException">As above.</exception>
    [Alias("hold-under-standing")]
    Task<bool> HoldUnderStandingAsync(CancellationToken cancel);
}

/// <summary>What a coordinator needs of a vault. The key ring is wrapped under the master key.</summary>
[GenerateSerializer, Immutable, Alias("zs.vault-secrets")]
public sealed record VaultSecrets
{
    [Id(0)] public required VaultInfo Info { get; init; }

    [Id(1)] public required ClassId Class { get; init; }

    [Id(2)] public required byte[] KeyRing { get; init; }
}
