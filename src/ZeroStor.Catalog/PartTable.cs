using System.Collections.Immutable;
using System.Data.Common;

namespace ZeroStor.Catalog;

/// <summary>The parts of uploads. See <see cref="UploadTable"/> for what keeps others from one.</summary>
internal static class PartTable
{
    /// <summary>Enters a part; see <see cref="IUploadCatalog.PutPartAsync"/>.</summary>
    /// <exception cref="ZeroStorException">Corrupt: nothing was entered, for what the earlier part of the
    /// number names cannot be told.</exception>
    public static async Task<CommitAnswer> PutAsync(Session session, CheckedPart part)
    {
        PartOrder order = part.Order;
        ContentId upload = order.Upload.Upload.Commit;
        Dictionary<ContentId, ContentRow> rows =
            await ContentTable.ReadAsync(session, [upload, order.Content, .. part.Named]);
        Tick now = await FabricTable.LaterAsync(session, order.Now);
        ContentRow? own = rows.GetValueOrDefault(order.Content);
        if (CommitRules.Earlier(own, order.Content, order.Upload.Vault, now, order.IsFound) is { } earlier)
        {
            return earlier;
        }

        CommitAnswer? refusal = await UploadTable.FindAsync(session, order.Upload) is null
            ? NoUpload(order.Upload)
            : RefuseNamed(part, rows);
        if (refusal is not null)
        {
            await ContentTable.WriteAsync(session, [Ended(order, now, refusal)]);
            return refusal;
        }

        CommitAnswer answer = new(ErrorKind.None)
        {
            ETag = order.ETag ?? order.Content.ToString(), Size = part.Manifest.Size,
        };
        await NameAsync(session, part, rows, now, answer);
        await session.ExecuteEachAsync(
            "page-put", order.Pages.Select(p => new object?[] { order.Content.Value, p.Page, p.Bytes }));
        await session.ExecuteAsync(
            "part-put",
            upload.Value,
            order.Number,
            part.Manifest.Size,
            answer.ETag,
            order.Modified.ToUnixTimeMilliseconds(),
            order.Manifest);
        await session.ExecuteAsync("upload-change", upload.Value, now.Value);
        return answer;
    }

    /// <exception cref="ZeroStorException">NotFound: the upload is no more.</exception>
    public static async Task<ImmutableArray<PartRow>> ListAsync(
        Session session, UploadName upload, int after, int max)
    {
        if (await UploadTable.FindAsync(session, upload) is null)
        {
            throw ZeroStorException.NotFound(NoUpload(upload).Detail);
        }

        var parts = ImmutableArray.CreateBuilder<PartRow>();
        await session.QueryAsync(
            "parts",
            row =>
            {
                parts.Add(Read(row));
                return true;
            },
            upload.Upload.Value,
            after,
            max);
        return parts.ToImmutable();
    }

    /// <summary>All parts of an upload in order, with their manifests.</summary>
    public static async Task<ImmutableArray<PartRow>> ReadWholeAsync(Session session, ContentId upload)
    {
        var parts = ImmutableArray.CreateBuilder<PartRow>();
        await session.QueryAsync(
            "parts-whole",
            row =>
            {
                parts.Add(Read(row) with { Manifest = row.Blob(4) });
                return true;
            },
            upload.Value);
        return parts.ToImmutable();
    }

    public static CommitAnswer NoUpload(UploadName upload) => new(
        ErrorKind.NotFound,
        $"There is no upload {upload.Upload} of '{upload.Key}': it was completed or given up, or nobody touched it for "
        + "too long.");

    private static CommitAnswer? RefuseNamed(CheckedPart part, Dictionary<ContentId, ContentRow> rows)
    {
        VaultId vault = part.Order.Upload.Vault;
        ContentId? absent = part.Named
            .Where(named => named != part.Order.Content
                && rows.GetValueOrDefault(named)?.MayBeNamedIn(vault) is not true)
            .Select(named => (ContentId?)named)
            .FirstOrDefault();
        return absent is null
            ? null
            : new CommitAnswer(
                ErrorKind.NotFound,
                $"Content {absent}, which part {part.Order.Number} was to name, does not live in vault {vault}.");
    }

    // The new names count before the old ones go: a part put again with the same contents must not pass
    // through death.
    private static async Task NameAsync(
        Session session, CheckedPart part, Dictionary<ContentId, ContentRow> rows, Tick now, CommitAnswer answer)
    {
        PartOrder order = part.Order;
        rows[order.Content] = part.Named.Contains(order.Content)
            ? new ContentRow(
                order.Content,
                order.Upload.Vault,
                ContentState.Live,
                Names: 1,
                now,
                Lived: true,
                CommitResult.Encode(answer))
            : Ended(order, now, answer);
        foreach (ContentId named in part.Named.Where(id => id != order.Content))
        {
            rows[named] = rows[named].Renamed(+1, now);
        }

        ImmutableArray<ContentId> earlier = await NamedBeforeAsync(session, order);
        ContentId[] unread = [.. earlier.Where(id => !rows.ContainsKey(id))];
        foreach ((ContentId id, ContentRow row) in await ContentTable.ReadAsync(session, unread))
        {
            rows.Add(id, row);
        }

        foreach (ContentId gone in earlier)
        {
            // A named content lives; were its row lost, there would be nothing to count down.
            if (rows.GetValueOrDefault(gone) is { State: ContentState.Live } row)
            {
                rows[gone] = row.Renamed(-1, now);
            }
        }

        rows.Remove(order.Upload.Upload.Commit);
        await ContentTable.WriteAsync(session, rows.Values);
    }

    private static async Task<ImmutableArray<ContentId>> NamedBeforeAsync(Session session, PartOrder order)
    {
        PartRow? earlier = null;
        await session.QueryAsync(
            "part",
            row =>
            {
                earlier = Read(row) with { Manifest = row.Blob(4) };
                return false;
            },
            order.Upload.Upload.Value,
            order.Number);
        return earlier is null ? [] : PartNames.NamedBy(order.Upload.Upload.Commit, earlier);
    }

    /// <summary>The row of a content that no part names: it only keeps the answer.</summary>
    private static ContentRow Ended(PartOrder order, Tick now, CommitAnswer answer) => new(
        order.Content,
        order.Upload.Vault,
        ContentState.Dead,
        0,
        now,
        Lived: false,
        CommitResult.Encode(answer));

    /// <summary>All but the manifest.</summary>
    private static PartRow Read(DbDataReader row) => new()
    {
        Number = checked((int)row.GetInt64(0)),
        Size = row.GetInt64(1),
        ETag = row.GetString(2),
        Modified = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(3)),
    };
}
