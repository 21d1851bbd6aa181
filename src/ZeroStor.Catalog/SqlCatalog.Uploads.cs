using System.Collections.Immutable;

namespace ZeroStor.Catalog;

// Uploads in parts. Each change reads the row of the upload's content first, which keeps others from the
// upload until its transaction ends; the completion is an order like any put, decided with others.
public sealed partial class SqlCatalog
{
    /// <summary>A completion is made of parts that were read before its transaction, and made anew where one
    /// came in between: as often as this.</summary>
    private const int MaxCompletionTries = 10;

    /// <summary>Parts of one page of a listing: ten times what S3 gives.</summary>
    private const int MaxListedParts = UploadParts.MaxNumber;

    public Task<bool> BeginUploadAsync(UploadRow upload, Tick now, CancellationToken cancel)
    {
        ObjectKey.Check(upload.Name.Key);
        _ = Carried.Decode(upload.Carried);
        return _writer.RunAsync(session => UploadTable.BeginAsync(session, upload, now), cancel);
    }

    public Task<UploadRow?> FindUploadAsync(UploadName upload, CancellationToken cancel) =>
        _readers.RunAsync(session => UploadTable.FindAsync(session, upload), cancel);

    /// <inheritdoc/>
    /// <exception cref="ZeroStorException">InvalidArgument: no number, manifest, page or ETag of a part.
    /// Corrupt: it cannot be told what the earlier part of the number names.</exception>
    public Task<CommitAnswer> PutPartAsync(PartOrder order, CancellationToken cancel)
    {
        var part = CheckedPart.Of(order);
        return _writer.RunAsync(session => PartTable.PutAsync(session, part), cancel);
    }

    public Task<ImmutableArray<PartRow>> ListPartsAsync(
        UploadName upload, int after, int max, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(max);
        int most = Math.Min(max, MaxListedParts);
        return _readers.RunAsync(session => PartTable.ListAsync(session, upload, after, most), cancel);
    }

    public async Task<CommitAnswer> CompleteUploadAsync(CompleteOrder order, CancellationToken cancel)
    {
        for (int tries = 1; ; tries++)
        {
            CheckedOrder commit = await _readers.RunAsync(
                async session =>
                {
                    UploadRow? upload = await UploadTable.FindAsync(session, order.Upload);
                    return Completion.Of(
                        order,
                        upload,
                        upload is null
                            ? []
                            : await PartTable.ReadWholeAsync(session, order.Upload.Upload.Commit));
                },
                cancel);
            CommitAnswer answer = await _writer.CommitAsync(commit, cancel);
            if (answer.Kind != ErrorKind.Busy || tries == MaxCompletionTries)
            {
                return answer;
            }
        }
    }

    public Task<bool> EndUploadAsync(UploadName upload, Tick now, CancellationToken cancel) =>
        _writer.RunAsync(session => UploadTable.EndAsync(session, upload, now), cancel);

    public Task<int> EndIdleUploadsAsync(Tick before, Tick now, int max, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(max);
        return _writer.RunAsync(session => UploadTable.EndIdleAsync(session, before, now, max), cancel);
    }

    public Task<UploadListing> ListUploadsAsync(UploadQuery query, CancellationToken cancel)
    {
        UploadLister.Check(query);
        return _readers.RunAsync(session => new UploadLister(session, query).RunAsync(), cancel);
    }
}
