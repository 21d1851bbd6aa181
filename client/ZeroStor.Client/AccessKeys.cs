using System.Collections.Immutable;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Client;

/// <summary>The access keys of the fabric, by which front ends know their users: made and taken back by its
/// operator, asked for by front ends. The fabric itself asks nobody for one. Thread-safe.</summary>
public sealed class AccessKeys
{
    private readonly Fabric _fabric;

    internal AccessKeys(Fabric fabric) => _fabric = fabric;

    /// <summary>Makes a key; keep its secret, which only front ends are told again. Asked once: where it ends
    /// with Unavailable, <see cref="ListAsync"/> shows whether one was made that nobody knows the secret
    /// of.</summary>
    /// <returns>Null only with <see cref="AccessKeySpec.OnlyFirst"/>: there are keys already.</returns>
    /// <exception cref="ZeroStorException">InvalidArgument: no rights, or not a vault's name; QuotaExceeded:
    /// there are <see cref="AccessKeySpec.MaxKeys"/>; Unavailable.</exception>
    public Task<AccessKeyGrant?> CreateAsync(AccessKeySpec spec, CancellationToken cancel = default) =>
        _fabric.OnceAsync(
            "making an access key", token => _fabric.Doors.Access.CreateAsync(spec, token), cancel);

    /// <summary>All keys, in the order of their making, without their secrets.</summary>
    public Task<ImmutableArray<AccessKeyInfo>> ListAsync(CancellationToken cancel = default) =>
        _fabric.RepeatAsync("listing the access keys", _fabric.Doors.Access.ListAsync, cancel);

    /// <summary>A key with its secret; null: there is none, or it was revoked.</summary>
    public Task<AccessKeyGrant?> FindAsync(string id, CancellationToken cancel = default) =>
        _fabric.RepeatAsync(
            $"looking for access key {id}", token => _fabric.Doors.Access.FindAsync(id, token), cancel);

    /// <summary>Takes a key back; false when there was none. Front ends know within a minute. Asked once, as
    /// <see cref="CreateAsync"/>.</summary>
    public Task<bool> RevokeAsync(string id, CancellationToken cancel = default) =>
        _fabric.OnceAsync(
            $"revoking access key {id}", token => _fabric.Doors.Access.RevokeAsync(id, token), cancel);
}
