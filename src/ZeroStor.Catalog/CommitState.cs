using System.Collections.Immutable;

namespace ZeroStor.Catalog;

/// <summary>An order that passed every check that needs no database.</summary>
/// <param name="Manifest">Null for a delete.</param>
/// <param name="Named">The contents that the manifest names, each once.</param>
internal sealed record CheckedOrder(CommitOrder Order, Manifest? Manifest, ImmutableArray<ContentId> Named)
{
    /// <summary>Ten thousand parts of a multipart upload with some stripes each; a batch of these still fits
    /// memory.</summary>
    public const int MaxManifestBytes = 32 * 1024 * 1024;

    /// <summary>Longer than any digest, with a count of parts, as text.</summary>
    public const int MaxETagLength = 1024;

    public (VaultId Vault, string Key) Key => (Order.Vault, Order.Key);

    /// <summary>The upload that the order completes; null: none.</summary>
    public Completion? Completes { get; init; }

    /// <summary>Beside the order's own the contents whose rows it is decided by.</summary>
    public IEnumerable<ContentId> Counted => Completes is null ? Named : Completes.Changes.Keys;

    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    public static CheckedOrder Of(CommitOrder order)
    {
        ObjectKey.Check(order.Key);
        if (order.Kind == CommitKind.Delete)
        {
            return new CheckedOrder(order, null, []);
        }

        CheckTags(order.Tags);
        CheckManifestBytes(order.Manifest, order.Key);
        CheckETag(order.ETag, $"'{order.Key}'");
        foreach ((int page, byte[] bytes) in order.Pages)
        {
            ContentTable.CheckPage(page, bytes);
        }

        Manifest manifest = Decode(order.Manifest, $"'{order.Key}'");
        return new CheckedOrder(order, manifest, [.. manifest.Contents.Select(c => c.Id).Distinct()]);
    }

    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    public static void CheckManifestBytes(byte[] manifest, string key)
    {
        if (manifest.Length > MaxManifestBytes)
        {
            throw ZeroStorException.Invalid(
                $"The manifest of '{key}' has {manifest.Length} bytes, and at most {MaxManifestBytes} are kept: "
                + "put the object in fewer parts.");
        }
    }

    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    public static void CheckETag(string? etag, string what)
    {
        if (etag is "" or "*" || etag?.Length > MaxETagLength)
        {
            throw ZeroStorException.Invalid(
                $"The ETag of {what} is none: 1 to {MaxETagLength} characters are, and * stands for any.");
        }

        ObjectKey.CheckText(etag ?? "", "ETag");
    }

    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    public static void CheckTags(byte[] tags)
    {
        try
        {
            Tags.Check(Tags.Decode(tags));
        }
        catch (ZeroStorException error) when (error.Kind == ErrorKind.Corrupt)
        {
            throw new ZeroStorException(
                ErrorKind.InvalidArgument, $"What was to be kept as tags is none: {error.Message}", error);
        }
    }

    /// <exception cref="ZeroStorException">InvalidArgument: the bytes are no manifest.</exception>
    public static Manifest Decode(byte[] manifest, string what)
    {
        try
        {
            return Manifest.Decode(manifest);
        }
        catch (ZeroStorException error)
        {
            throw new ZeroStorException(
                ErrorKind.InvalidArgument, $"What was to be committed as {what} is none: {error.Message}", error);
        }
    }
}

/// <summary>A key as a batch finds it.</summary>
internal sealed class KeyState
{
    /// <summary>What conditions are compared with: the version that a delete names, else the current
    /// one.</summary>
    public required VersionRow? Target { get; init; }

    /// <summary>What becomes of the versions that there are.</summary>
    public required Succession Succession { get; init; }

    /// <summary>The contents that <see cref="Succession.Gone"/> names, each once.</summary>
    public required ImmutableArray<ContentId> GoneNames { get; init; }

    /// <summary>The last seq that the key is known to have had.</summary>
    public required long LastSeq { get; init; }

    /// <summary>Set when the version that is to go cannot be read: whoever would end it is told.</summary>
    public ZeroStorException? Unreadable { get; init; }

    public long NextSeq(Tick now) => Math.Max(LastSeq + 1, VersionRow.FirstSeq(now));
}

/// <summary>What a batch read of the catalog, as it stands after the orders decided so far, and what is to be
/// written for them.</summary>
internal sealed class CommitState
{
    public required Tick Tick { get; init; }

    public required Dictionary<VaultId, Versioning> Vaults { get; init; }

    /// <summary>Rows of every content that an order makes, names, or names no more; absent: there is none.
    /// </summary>
    public required Dictionary<ContentId, ContentRow> Contents { get; init; }

    public required Dictionary<(VaultId Vault, string Key), KeyState> Keys { get; init; }

    /// <summary>The uploads that orders complete, by the contents they commit by; absent: there is
    /// none.</summary>
    public required Dictionary<ContentId, UploadRow> Uploads { get; init; }

    public HashSet<ContentId> ChangedContents { get; } = [];

    /// <summary>Current versions that end.</summary>
    public List<(VaultId Vault, string Key, long Seq)> RemovedVersions { get; } = [];

    /// <summary>Current versions that are kept behind another.</summary>
    public List<(VaultId Vault, string Key, long Seq)> RetiredVersions { get; } = [];

    /// <summary>Earlier versions and marks that end.</summary>
    public List<(VaultId Vault, string Key, long Seq)> RemovedFormer { get; } = [];

    /// <summary>Earlier versions that become current again.</summary>
    public List<(VaultId Vault, string Key, long Seq)> RestoredVersions { get; } = [];

    public List<(CheckedOrder Order, long Seq, Tick Tick, bool IsKept)> AddedVersions { get; } = [];

    public List<(CommitOrder Order, VersionId Version, long Seq, Tick Tick, bool IsKept)> AddedMarks { get; } = [];

    public List<(VaultId Vault, string Key, long Seq)> Counters { get; } = [];

    public List<ContentId> EndedUploads { get; } = [];

    public void Put(ContentRow row)
    {
        Contents[row.Id] = row;
        ChangedContents.Add(row.Id);
    }
}
