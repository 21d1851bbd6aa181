using System.Collections.Frozen;

namespace ZeroStor.S3.Signing;

/// <summary>What the holder of an access key may do.</summary>
[Flags]
public enum AccessRights
{
    None = 0,
    Create = 1,
    Read = 2,
    Write = 4,
    List = 8,
    Delete = 16,
    All = Create | Read | Write | List | Delete,
}

/// <summary>An access key and what it opens.</summary>
/// <param name="Id">What requests name; not secret.</param>
/// <param name="Secret">What they are signed with.</param>
/// <param name="Rights">What its holder may do there.</param>
/// <param name="Vaults">Where; null: in every vault.</param>
public sealed record AccessKey(string Id, string Secret, AccessRights Rights, FrozenSet<string>? Vaults)
{
    public bool May(AccessRights rights, string vault) =>
        (Rights & rights) == rights && (Vaults is null || Vaults.Contains(vault));

    /// <summary>Without the secret, which belongs in no log.</summary>
    public override string ToString() => $"access key {Id}";
}

/// <summary>Where access keys are looked up. Thread-safe.</summary>
public interface IAccessKeys
{
    /// <summary>The key of this id, or null where there is none or it was revoked.</summary>
    /// <exception cref="ZeroStorException">Unavailable: nobody can tell now.</exception>
    ValueTask<AccessKey?> FindAsync(string accessKey, CancellationToken cancel);
}

/// <summary>Who sends a request.</summary>
/// <param name="Key">His access key; null: he gave no credentials.</param>
/// <param name="Payload">What he said the body would be.</param>
/// <param name="Chunks">Checks the signatures of a body in signed chunks; null where it has none.</param>
public sealed record Caller(AccessKey? Key, PayloadHash Payload, ChunkSigner? Chunks)
{
    public bool IsAnonymous => Key is null;
}
