using System.Collections.Immutable;
using ZeroStor.Sealing;

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

    /// <summary>Destroys the vault's keys, has all silos let go of them, and removes the vault with all it holds. What
    /// disks still hold of it nobody opens, but with a backup of the catalog from before: and then, where the fabric kept
    /// the keys, the master key; where the owner did, his key file.</summary>
    /// <exception cref="ZeroStorException">NotFound.</exception>
    [Alias("shred"), AnyGateway]
    [ResponseTimeout("00:05:00")]
    Task ShredAsync(CancellationToken cancel);

    /// <summary>What keys the vault has: nothing secret.</summary>
    /// <exception cref="ZeroStorException">NotFound.</exception>
    [Alias("keys"), AnyGateway]
    Task<VaultKeyRing> KeysAsync(CancellationToken cancel);

    /// <summary>Makes a key pair of the next generation, of the newest one's suite or another, and encapsulates every
    /// epoch to it: no content key changes, and no shard moves. Not to be repeated: each call makes another.</summary>
    /// <exception cref="ZeroStorException">NotFound; InvalidArgument: no such suite; Unavailable: another silo changed
    /// the keys meanwhile.</exception>
    [Alias("rotate"), AnyGateway]
    Task<VaultKeyRing> RotateAsync(string? suite, CancellationToken cancel);

    /// <summary>Takes an earlier key pair out of the ring.</summary>
    /// <exception cref="ZeroStorException">NotFound: the vault, or the key; InvalidArgument: it is the newest;
    /// PreconditionFailed: an epoch needs it; Unavailable: as above.</exception>
    [Alias("retire"), AnyGateway]
    Task<VaultKeyRing> RetireAsync(uint generation, CancellationToken cancel);

    /// <summary>The encoded key ring of a vault whose owner keeps the private keys.</summary>
    /// <exception cref="ZeroStorException">NotFound; PreconditionFailed: the fabric keeps them.</exception>
    [Alias("own-ring"), AnyGateway]
    Task<byte[]> OwnRingAsync(CancellationToken cancel);

    /// <summary>Puts another ring in the place of the one that the owner read.</summary>
    /// <exception cref="ZeroStorException">NotFound; PreconditionFailed: it is another by now, or the fabric keeps the
    /// keys; InvalidArgument: it is of another vault.</exception>
    [Alias("change-own-ring"), AnyGateway]
    Task ChangeOwnRingAsync(byte[] was, byte[] ring, CancellationToken cancel);

    /// <summary>Says what becomes of earlier versions: every commit from then on goes by it.</summary>
    /// <exception cref="ZeroStorException">NotFound; PreconditionFailed: it was on once, and can only be
    /// suspended. </exception>
    [Alias("set-versioning"), AnyGateway]
    Task<VaultInfo> SetVersioningAsync(Versioning versioning, CancellationToken cancel);

    /// <summary>Says whether what is put is compressed: every put that begins a minute later goes by
    /// it. What was put stays as it is.</summary>
    /// <exception cref="ZeroStorException">NotFound; Unavailable: another silo changed the vault
    /// meanwhile.</exception>
    [Alias("set-compression"), AnyGateway]
    Task<VaultInfo> SetCompressionAsync(Compression compression, CancellationToken cancel);

    /// <summary>What a front end keeps of the vault under a name; null: nothing.</summary>
    /// <exception cref="ZeroStorException">NotFound: the vault; InvalidArgument: no name.</exception>
    [Alias("read-settings"), AnyGateway]
    Task<VaultSettings?> ReadSettingsAsync(string name, CancellationToken cancel);

    /// <summary>Puts bytes (null: none) in the place of those with the ETag <paramref name="was"/> (null: of
    /// none). May be repeated.</summary>
    /// <returns>What stands.</returns>
    /// <exception cref="ZeroStorException">NotFound: the vault; PreconditionFailed: somebody else was
    /// quicker; InvalidArgument: no name, or too many bytes.</exception>
    [Alias("write-settings"), AnyGateway]
    Task<VaultSettings?> WriteSettingsAsync(string name, string? was, byte[]? bytes, CancellationToken cancel);
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

    /// <summary>How its keys are encapsulated: <c>xwing</c> (null) or <c>xwing1024</c>.</summary>
    [Id(3)] public string? Suite { get; init; }

    /// <summary>The encoded key ring of a vault whose owner keeps the private keys; it names the vault's id. Null: the
    /// fabric keeps them.</summary>
    [Id(4)] public byte[]? OwnRing { get; init; }

    [Id(5)] public Versioning Versioning { get; init; }

    [Id(6)] public Compression Compression { get; init; }
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

    [Id(6)] public Custody Custody { get; init; } = Custody.Fabric;

    /// <summary>What becomes of earlier versions.</summary>
    [Id(7)] public Versioning Versioning { get; init; }

    /// <summary>When it was made, by the clock of the silo that did; null where nobody noted it.</summary>
    [Id(8)] public DateTimeOffset? Created { get; init; }

    /// <summary>Whether what is put is compressed; what was put can be read either way.</summary>
    [Id(9)] public Compression Compression { get; init; }
}

/// <summary>The keys of a vault, as far as they are no secret.</summary>
[GenerateSerializer, Immutable, Alias("zs.vault-key-ring")]
public sealed record VaultKeyRing
{
    /// <summary><c>fabric</c> or <c>owner</c>.</summary>
    [Id(0)] public required string Custody { get; init; }

    /// <summary>In order of their generations; epochs go to the last.</summary>
    [Id(1)] public required ImmutableArray<VaultKey> Keys { get; init; }

    /// <summary>How long the stored ring is.</summary>
    [Id(2)] public required int Bytes { get; init; }
}

/// <summary>A key pair of a vault.</summary>
[GenerateSerializer, Immutable, Alias("zs.vault-key")]
public sealed record VaultKey
{
    [Id(0)] public required uint Generation { get; init; }

    [Id(1)] public required string Suite { get; init; }

    /// <summary>The tick in which it was made.</summary>
    [Id(2)] public required Tick Begun { get; init; }

    /// <summary>The id of the master key that holds its private key; empty: its owner does.</summary>
    [Id(3)] public required string HeldBy { get; init; }

    /// <summary>Numbers of the epochs that are encapsulated to it.</summary>
    [Id(4)] public required ImmutableArray<uint> Epochs { get; init; }
}

/// <summary>What a rotation of the fabric's master key did.</summary>
[GenerateSerializer, Immutable, Alias("zs.master-rotated")]
public sealed record MasterRotated
{
    /// <summary>The id of the key that silos may forget, when nothing is left to do.</summary>
    [Id(0)] public required string Was { get; init; }

    /// <summary>The id of the fabric's key now.</summary>
    [Id(1)] public required string Is { get; init; }

    /// <summary>Vaults whose private keys were wrapped anew; 0: nothing was left to do.</summary>
    [Id(2)] public required int Vaults { get; init; }

    /// <summary>Access keys whose secrets were.</summary>
    [Id(3)] public int AccessKeys { get; init; }
}
