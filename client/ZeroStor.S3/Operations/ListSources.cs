using System.Collections.Immutable;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Listing;

namespace ZeroStor.S3.Operations;

/// <summary>The versions of a vault, unfolded, for one listing. Not thread-safe.</summary>
internal sealed class VersionSource(Vault vault) : IManySource<VersionLine>
{
    private (ListPosition Position, long Seq)? _last;

    public async Task<ImmutableArray<VersionLine>> ReadAsync(
        string prefix, ListPosition from, int max, CancellationToken cancel)
    {
        ImmutableArray<VersionLine>.Builder read = ImmutableArray.CreateBuilder<VersionLine>();
        string? behind = from.Key;
        long? before = from.Key.Length == 0 ? null : await SeqOfAsync(from, cancel);
        while (behind is not null && read.Count < max)
        {
            VersionPage page = await vault.ListVersionsPageAsync(
                new ListVersionsOptions { Prefix = prefix, StartAfter = behind, BeforeSeq = before },
                Math.Min(max - read.Count, ListObjects.MaxPerPage),
                cancel);
            foreach (VersionEntry entry in page.Entries)
            {
                VersionLine told = Tell(entry);
                read.Add(told);
                _last = (ListPosition.Behind(told), entry.Seq);
            }

            (behind, before) = (page.Next, page.NextSeq);
        }

        return read.ToImmutable();
    }

    private static VersionLine Tell(VersionEntry entry) =>
        new(entry.Key, VersionNames.Tell(entry.Version, entry.IsNull), entry.Modified)
        {
            IsLatest = entry.IsLatest,
            IsDeleteMarker = entry.IsMark,
            ETag = entry.IsMark ? "" : StoredTag.Of(entry.ETag, entry.Version).ETag,
            Size = entry.Size,
        };

    // Before which of the key's versions to go on. Whoever deletes what a page told him comes with a marker
    // that is no more: he is told all that the key has left, for what he knows of it is gone.
    private async Task<long> SeqOfAsync(ListPosition from, CancellationToken cancel)
    {
        if (from.BehindId is null)
        {
            return long.MaxValue;
        }

        if (_last is { } last && last.Position == from)
        {
            return last.Seq;
        }

        try
        {
            VersionId version = VersionNames.Parse(from.BehindId)!.Value;
            return (await vault.HeadAsync(from.Key, version, cancel)).Seq;
        }
        catch (ZeroStorException failure) when (failure.Kind == ErrorKind.NotFound)
        {
            return long.MaxValue;
        }
    }
}

/// <summary>The uploads of a vault that are under way, unfolded.</summary>
internal sealed class UploadSource(Vault vault) : IManySource<UploadLine>
{
    public async Task<ImmutableArray<UploadLine>> ReadAsync(
        string prefix, ListPosition from, int max, CancellationToken cancel)
    {
        ImmutableArray<UploadLine>.Builder read = ImmutableArray.CreateBuilder<UploadLine>();
        string? behind = from.Key;
        UploadId? after = from.Key.Length == 0 ? null : UploadOf(from.BehindId);
        while (behind is not null && read.Count < max)
        {
            UploadPage page = await vault.ListUploadsPageAsync(
                new ListUploadsOptions { Prefix = prefix, StartAfter = behind, AfterUpload = after },
                Math.Min(max - read.Count, ListObjects.MaxPerPage),
                cancel);
            read.AddRange(page.Entries.Select(e => new UploadLine(e.Key, e.Upload.ToString(), e.Begun)));
            (behind, after) = (page.Next, page.NextUpload);
        }

        return read.ToImmutable();
    }

    // All of the key's are behind the lowest.
    private static UploadId UploadOf(string? name) => name is null
        ? default
        : Uploads.TryParse(name) ?? throw S3Exception.Argument(
            "upload-id-marker", name, "The upload-id-marker is not the id of an upload.");
}
