using System.Collections.Immutable;

namespace ZeroStor.Contracts.Doors;

/// <summary>The access keys by which front ends know their users. The key is 0. What users may do is the
/// front ends' to hold them to: whoever reaches this door has all of the fabric already.</summary>
[Alias("zs.access-door")]
public interface IAccessDoor : IGrainWithIntegerKey
{
    /// <summary>Makes a key; its secret is told here, and to front ends. Not to be repeated: each makes
    /// one.</summary>
    /// <returns>Null: there are keys already, and <see cref="AccessKeySpec.OnlyFirst"/> was said.</returns>
    /// <exception cref="ZeroStorException">InvalidArgument: no rights, or not a vault's name; QuotaExceeded:
    /// there are <see cref="AccessKeySpec.MaxKeys"/>; Unavailable: somebody else changed the keys
    /// meanwhile.</exception>
    [Alias("create"), AnyGateway]
    Task<AccessKeyGrant?> CreateAsync(AccessKeySpec spec, CancellationToken cancel);

    /// <summary>All keys, in the order of their making, without their secrets.</summary>
    [Alias("list"), AnyGateway]
    Task<ImmutableArray<AccessKeyInfo>> ListAsync(CancellationToken cancel);

    /// <summary>A key with its secret; null: there is none, or it was revoked.</summary>
    [Alias("find"), AnyGateway]
    Task<AccessKeyGrant?> FindAsync(string id, CancellationToken cancel);

    /// <summary>Takes a key back; false when there was none. Front ends know within a minute.</summary>
    /// <exception cref="ZeroStorException">Unavailable: somebody else changed the keys meanwhile.</exception>
    [Alias("revoke"), AnyGateway]
    Task<bool> RevokeAsync(string id, CancellationToken cancel);
}

/// <summary>What the holder of an access key may do in its vaults. The numbers are stored: never reuse
/// one.</summary>
[Flags]
public enum VaultRights
{
    None = 0,

    /// <summary>Make the vault, set it up, and remove it.</summary>
    Create = 1,

    /// <summary>Read objects.</summary>
    Read = 2,

    /// <summary>Put objects.</summary>
    Write = 4,

    /// <summary>List keys, and see that the vault is there.</summary>
    List = 8,

    /// <summary>Delete objects.</summary>
    Delete = 16,

    All = Create | Read | Write | List | Delete,
}

/// <summary>What a new access key shall be.</summary>
[GenerateSerializer, Immutable, Alias("zs.access-key-spec")]
public sealed record AccessKeySpec
{
    /// <summary>Keys are kept in one piece, which every change rewrites and every look reads: some two
    /// hundred kilobytes at this many.</summary>
    public const int MaxKeys = 1000;

    /// <summary>Vaults that one key may name; more of them is <c>*</c>'s work, or another key's.</summary>
    public const int MaxVaults = 100;

    [Id(0)] public required VaultRights Rights { get; init; }

    /// <summary>Where; empty: in every vault, also those to come. They need not be there yet.</summary>
    [Id(1)] public ImmutableArray<string> Vaults { get; init; } = [];

    /// <summary>Makes one only where there is none at all: the one that a fabric begins with.</summary>
    [Id(2)] public bool OnlyFirst { get; init; }
}

/// <summary>An access key, as everybody may see it.</summary>
[GenerateSerializer, Immutable, Alias("zs.access-key-info")]
public sealed record AccessKeyInfo
{
    /// <summary>What requests name.</summary>
    [Id(0)] public required string Id { get; init; }

    [Id(1)] public required VaultRights Rights { get; init; }

    /// <summary>Empty: every vault.</summary>
    [Id(2)] public required ImmutableArray<string> Vaults { get; init; }

    /// <summary>When it was made, by the clock of the silo that did; decides nothing.</summary>
    [Id(3)] public required DateTimeOffset Created { get; init; }
}

/// <summary>An access key with its secret.</summary>
[GenerateSerializer, Immutable, Alias("zs.access-key-grant")]
public sealed record AccessKeyGrant
{
    [Id(0)] public required AccessKeyInfo Key { get; init; }

    /// <summary>What requests are signed with: 64 hexadecimal digits, which no shell, address or file of
    /// settings reads otherwise.</summary>
    [Id(1)] public required string Secret { get; init; }

    /// <summary>Without the secret, which belongs in no log.</summary>
    public override string ToString() => $"access key {Key.Id}";
}
