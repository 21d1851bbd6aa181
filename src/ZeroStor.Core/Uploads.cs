using System.Collections.Immutable;

namespace ZeroStor;

/// <summary>Uploads in parts, as the catalog holds them until they are completed or end. A part that stands
/// names its contents as a version does, and so keeps them alive; completing gives the names to the one
/// version that is made, in one transaction. An upload that nobody touches expires.</summary>
public interface IUploadCatalog
{
    /// <summary>Makes an upload; asked again, it changes nothing. False when it was begun and has
    /// ended.</summary>
    /// <exception cref="ZeroStorException">NotFound: the vault is no more. InvalidArgument: the id is older
    /// than the catalog remembers, or another's.</exception>
    Task<bool> BeginUploadAsync(UploadRow upload, Tick now, CancellationToken cancel);

    /// <summary>An upload under way; null when there is no such one, or it is another key's.</summary>
    Task<UploadRow?> FindUploadAsync(UploadName upload, CancellationToken cancel);

    /// <summary>Enters a part that stands; of several under one number the last one entered counts, and the
    /// names that the earlier one gave are taken back. An order whose content has a row answers what the
    /// first one did; a refused one condemns its content. Kinds as in <see cref="CommitAnswer"/>; NotFound
    /// also: the upload is no more, or a content that is copied from.</summary>
    Task<CommitAnswer> PutPartAsync(PartOrder order, CancellationToken cancel);

    /// <summary>Up to <paramref name="max"/> parts behind a number, in order, without their
    /// manifests.</summary>
    /// <exception cref="ZeroStorException">NotFound: the upload is no more.</exception>
    Task<ImmutableArray<PartRow>> ListPartsAsync(
        UploadName upload, int after, int max, CancellationToken cancel);

    /// <summary>Makes one version of the parts that are named, in their order, and ends the upload: contents
    /// of parts that are not named are condemned. The same order again is answered as the first. A refused
    /// one changes nothing.</summary>
    /// <returns>NotFound: the upload is no more, or was completed with other parts. PreconditionFailed. Busy:
    /// parts kept coming meanwhile.</returns>
    /// <exception cref="ZeroStorException">InvalidArgument: no parts, numbers out of order, or a part that is
    /// not there or has another ETag.</exception>
    Task<CommitAnswer> CompleteUploadAsync(CompleteOrder order, CancellationToken cancel);

    /// <summary>Ends an upload without a version: what its parts named is condemned. Whether there was
    /// one.</summary>
    Task<bool> EndUploadAsync(UploadName upload, Tick now, CancellationToken cancel);

    /// <summary>Ends up to <paramref name="max"/> uploads that nobody touched since
    /// <paramref name="before"/>; how many.</summary>
    Task<int> EndIdleUploadsAsync(Tick before, Tick now, int max, CancellationToken cancel);

    /// <summary>Uploads under way, in the order of their keys' UTF-8 bytes, and under one key by their
    /// ids.</summary>
    /// <exception cref="ZeroStorException">NotFound: the vault is no more.</exception>
    Task<UploadListing> ListUploadsAsync(UploadQuery query, CancellationToken cancel);
}

/// <summary>What parts of an upload are held to.</summary>
public static class UploadParts
{
    /// <summary>The highest number of a part: what S3 allows.</summary>
    public const int MaxNumber = 10_000;

    /// <summary>StripeRefs that a part's manifest names itself; more of them stand in pages. So the manifest
    /// of 10,000 parts has about 2.8 MiB at most, and not 25.</summary>
    public const int MaxInlineStripes = 4;

    /// <summary>The longest manifest of a part: 10,000 of them still make one that the catalog takes. One
    /// that was put has 300 bytes at most; one that names what others hold may have more.</summary>
    public const int MaxManifestBytes = 3 * 1024;

    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    public static void CheckNumber(int number)
    {
        if (number is < 1 or > MaxNumber)
        {
            throw ZeroStorException.Invalid($"{number} is no number of a part: 1 to {MaxNumber} are.");
        }
    }
}

/// <summary>Which upload.</summary>
public readonly record struct UploadName(VaultId Vault, string Key, UploadId Upload);

/// <summary>An upload under way.</summary>
public sealed record UploadRow
{
    public required UploadName Name { get; init; }

    /// <summary>For people and front ends; decides nothing.</summary>
    public required DateTimeOffset Begun { get; init; }

    /// <summary>What the object will carry, encoded (<see cref="ZeroStor.Carried"/>); empty in
    /// listings.</summary>
    public byte[] Carried { get; init; } = [];

    /// <summary>Raised with every change of its parts.</summary>
    public long Revision { get; init; }

    /// <summary>When somebody last did something with it.</summary>
    public Tick Touched { get; init; }
}

/// <summary>A part that stands.</summary>
public sealed record PartRow
{
    public required int Number { get; init; }

    public required long Size { get; init; }

    public required string ETag { get; init; }

    public required DateTimeOffset Modified { get; init; }

    /// <summary>What it is made of, as the manifest of an object of its own; empty in listings.</summary>
    public byte[] Manifest { get; init; } = [];
}

/// <summary>One part.</summary>
public sealed record PartOrder
{
    public required UploadName Upload { get; init; }

    public required int Number { get; init; }

    /// <summary>The part's own content, or a fresh id for one that names others' alone. Its row is what makes
    /// a repeated order answer as the first did.</summary>
    public required ContentId Content { get; init; }

    /// <summary>Encoded; its contents are what the part names.</summary>
    public required byte[] Manifest { get; init; }

    /// <summary>The front end's own ETag; null: the content's id.</summary>
    public string? ETag { get; init; }

    public required Tick Now { get; init; }

    public required DateTimeOffset Modified { get; init; }

    /// <summary>Pages of <see cref="Content"/> that are not written yet.</summary>
    public ImmutableArray<(int Page, byte[] Bytes)> Pages { get; init; } = [];

    /// <summary>As <see cref="CommitOrder.IsFound"/>.</summary>
    public bool IsFound { get; init; }
}

/// <summary>A part by its number, and the ETag that it must have.</summary>
public sealed record PartName(int Number, string ETag);

/// <summary>The end of an upload in a version.</summary>
public sealed record CompleteOrder
{
    public required UploadName Upload { get; init; }

    /// <summary>In ascending order of their numbers, which need not follow one another.</summary>
    public required ImmutableArray<PartName> Parts { get; init; }

    /// <summary>The front end's own ETag; null: the VersionId.</summary>
    public string? ETag { get; init; }

    public Precondition If { get; init; } = Precondition.None;

    public required Tick Now { get; init; }

    public required DateTimeOffset Modified { get; init; }
}

public sealed record UploadQuery
{
    public required VaultId Vault { get; init; }

    public string Prefix { get; init; } = "";

    /// <summary>As in <see cref="ListQuery"/>.</summary>
    public string? Delimiter { get; init; }

    /// <summary>Only uploads of keys, and common prefixes, behind this; with <see cref="AfterUpload"/> those
    /// of this key with a higher id as well.</summary>
    public string StartAfter { get; init; } = "";

    public UploadId? AfterUpload { get; init; }

    /// <summary>Uploads and common prefixes together.</summary>
    public required int Max { get; init; }
}

/// <summary>A page of a listing of uploads.</summary>
/// <param name="Uploads">In order.</param>
/// <param name="CommonPrefixes">In order.</param>
/// <param name="Next">Where the next page begins: the key, or common prefix, to start after; null at the
/// end.</param>
/// <param name="NextUpload">With <paramref name="Next"/>: the upload of that key to go on after.</param>
public sealed record UploadListing(
    ImmutableArray<UploadRow> Uploads, ImmutableArray<string> CommonPrefixes, string? Next, UploadId? NextUpload);
