using System.Collections.Immutable;

namespace ZeroStor.Grains;

internal sealed partial class SiloCatalog
{
    public Task<bool> BeginUploadAsync(UploadRow upload, Tick now, CancellationToken cancel) =>
        AskAsync("BeginUpload", () => catalog.BeginUploadAsync(upload, now, cancel));

    public Task<UploadRow?> FindUploadAsync(UploadName upload, CancellationToken cancel) =>
        AskAsync("FindUpload", () => catalog.FindUploadAsync(upload, cancel));

    public Task<CommitAnswer> PutPartAsync(PartOrder order, CancellationToken cancel) =>
        AskAsync("PutPart", () => catalog.PutPartAsync(order, cancel));

    public Task<ImmutableArray<PartRow>> ListPartsAsync(
        UploadName upload, int after, int max, CancellationToken cancel) =>
        AskAsync("ListParts", () => catalog.ListPartsAsync(upload, after, max, cancel));

    /// <inheritdoc/>
    /// <remarks>What it made is not remembered: its manifest is large, and was never here.</remarks>
    public Task<CommitAnswer> CompleteUploadAsync(CompleteOrder order, CancellationToken cancel) =>
        AskAsync("CompleteUpload", () => catalog.CompleteUploadAsync(order, cancel));

    public Task<bool> EndUploadAsync(UploadName upload, Tick now, CancellationToken cancel) =>
        AskAsync("EndUpload", () => catalog.EndUploadAsync(upload, now, cancel));

    public Task<int> EndIdleUploadsAsync(Tick before, Tick now, int max, CancellationToken cancel) =>
        AskAsync("EndIdleUploads", () => catalog.EndIdleUploadsAsync(before, now, max, cancel));

    public Task<UploadListing> ListUploadsAsync(UploadQuery query, CancellationToken cancel) =>
        AskAsync("ListUploads", () => catalog.ListUploadsAsync(query, cancel));
}
