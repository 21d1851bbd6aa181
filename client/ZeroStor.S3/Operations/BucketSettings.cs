using System.Collections.Immutable;
using System.Text.Json;
using ZeroStor.S3.Protocol;

namespace ZeroStor.S3.Operations;

/// <summary>What this front end keeps of a bucket: who besides the holders of keys may read, which pages of
/// other origins may ask, and tags. The fabric keeps it with the vault, and does not read it.</summary>
internal sealed record BucketSettings
{
    public static readonly BucketSettings None = new();

    public CannedAcl Acl { get; init; }

    /// <summary>As it was put; null: none.</summary>
    public string? Policy { get; init; }

    /// <summary>What the policy lets everybody do.</summary>
    public PublicAccess PolicyAccess { get; init; }

    public ImmutableArray<CorsRule> Cors { get; init; } = [];

    public TagSet Tags { get; init; } = TagSet.Empty;

    /// <summary>What everybody may do.</summary>
    public PublicAccess Access =>
        PolicyAccess | (Acl == CannedAcl.PublicRead ? PublicAccess.Read : PublicAccess.None);

    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(new Stored
    {
        Acl = Acl,
        Policy = Policy,
        PolicyAccess = PolicyAccess,
        Cors = [.. Cors],
        Tags = new Dictionary<string, string>(Tags.Tags, StringComparer.Ordinal),
    });

    /// <exception cref="ZeroStorException">Corrupt: this front end did not write it.</exception>
    public static BucketSettings Decode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            Stored stored = JsonSerializer.Deserialize<Stored>(bytes)!;
            return new BucketSettings
            {
                Acl = stored.Acl,
                Policy = stored.Policy,
                PolicyAccess = stored.PolicyAccess,
                Cors = [.. stored.Cors],
                Tags = TagSet.Make(stored.Tags, TagSet.MaxOfBucket),
            };
        }
        catch (JsonException e)
        {
            throw ZeroStorException.Corrupt(
                "The settings that the S3 front end keeps of a bucket cannot be read.", e);
        }
    }

    // Property names are the stored format.
    private sealed record Stored
    {
        public CannedAcl Acl { get; init; }

        public string? Policy { get; init; }

        public PublicAccess PolicyAccess { get; init; }

        public List<CorsRule> Cors { get; init; } = [];

        public Dictionary<string, string> Tags { get; init; } = [];
    }
}

/// <summary>What somebody without a key may do in a bucket. The numbers are stored: never reuse
/// one.</summary>
[Flags]
internal enum PublicAccess
{
    None = 0,

    /// <summary>Get and head objects by their keys.</summary>
    Read = 1,

    /// <summary>List them.</summary>
    List = 2,
}
