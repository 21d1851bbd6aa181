namespace ZeroStor.Contracts.Doors;

/// <summary>A vault, by its name. Callable by clients.</summary>
[Alias("zs.vault-door")]
public interface IVaultDoor : IGrainWithStringKey
{
    /// <summary>Makes the vault.</summary>
    /// <exception cref="ZeroStorException">AlreadyExists; InvalidArgument: not a name; PolicyUnsatisfiable:
    /// the disks cannot hold the code over the spread.</exception>
    [Alias("create"), AnyGateway]
    Task<VaultInfo> CreateAsync(VaultSpec spec, CancellationToken cancel);

    /// <exception cref="ZeroStorException">NotFound.</exception>
    [Alias("describe"), AnyGateway]
    Task<VaultInfo> DescribeAsync(CancellationToken cancel);

    /// <summary>Removes the vault; with <paramref name="withContent"/> all its versions first.</summary>
    /// <exception cref="ZeroStorException">NotFound; PreconditionFailed: it holds versions.</exception>
    [Alias("remove"), AnyGateway]
    [ResponseTimeout("00:05:00")]
    Task RemoveAsync(bool withContent, CancellationToken cancel);
}

/// <summary>What a new vault shall be.</summary>
[GenerateSerializer, Immutable, Alias("zs.vault-spec")]
public sealed record VaultSpec
{
    /// <summary>Null: the fabric's default.</summary>
    [Id(0)] public Code? Code { get; init; }

    [Id(1)] public Spread Spread { get; init; }

    /// <summary>Null: k + ⌈m/2⌉.</summary>
    [Id(2)] public int? WriteFloor { get; init; }
}

/// <summary>What a vault is.</summary>
[GenerateSerializer, Immutable, Alias("zs.vault-info")]
public sealed record VaultInfo
{
    [Id(0)] public required string Name { get; init; }

    [Id(1)] public required VaultId Id { get; init; }

    [Id(2)] public required Code Code { get; init; }

    [Id(3)] public required Spread Spread { get; init; }

    [Id(4)] public required int WriteFloor { get; init; }

    /// <summary>Over how many object grains the keys are dealt (<see cref="ObjectDoor.PartitionOf"/>).</summary>
    [Id(5)] public required int Partitions { get; init; }
}
