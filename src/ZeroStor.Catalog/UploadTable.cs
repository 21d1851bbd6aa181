using System.Collections.Immutable;
using System.Data.Common;

namespace ZeroStor.Catalog;

/// <summary>The uploads under way and their parts. Whoever changes one has read the row of the content by
/// whose id it is known, and by that keeps others from it. While the upload goes on that row is live and has
/// no result, so neither idleness nor a condemnation takes it.</summary>
internal static class UploadTable
{
    public static async Task<Dictionary<ContentId, UploadRow>> ReadAsync(
        Session session, IEnumerable<ContentId> uploads)
    {
        var rows = new Dictionary<ContentId, UploadRow>();
        await session.QueryEachAsync(
            "upload",
            uploads.Distinct().Select(id => new object?[] { id.Value }),
            row =>
            {
                UploadRow upload = Read(row) with { Carried = row.Blob(6) };
                rows.Add(upload.Name.Upload.Commit, upload);
            });
        return rows;
    }

    /// <summary>The upload, if it is that key's.</summary>
    public static async Task<UploadRow?> FindAsync(Session session, UploadName name)
    {
        UploadRow? row = (await ReadAsync(session, [name.Upload.Commit])).GetValueOrDefault(name.Upload.Commit);
        return row?.Name == name ? row : null;
    }

    /// <exception cref="ZeroStorException">NotFound: the vault is no more. InvalidArgument: the id is none
    /// for a new upload.</exception>
    public static async Task<bool> BeginAsync(Session session, UploadRow upload, Tick now)
    {
        ContentId own = upload.Name.Upload.Commit;
        ContentRow? known = (await ContentTable.ReadAsync(session, [own])).GetValueOrDefault(own);
        now = await FabricTable.LaterAsync(session, now);
        if (known is not null)
        {
            return await FindAsync(session, upload.Name) is not null;
        }

        if (ContentTable.IsForgotten(own, now))
        {
            throw ZeroStorException.Invalid(
                $"Upload {upload.Name.Upload} is older than the catalog remembers: begin one with a fresh id.");
        }

        if (!await VaultTable.IsKnownAsync(session, upload.Name.Vault))
        {
            throw ZeroStorException.NotFound($"Vault {upload.Name.Vault} is no more: upload into one that is.");
        }

        var row = new ContentRow(
            own, upload.Name.Vault, ContentState.Live, Names: 1, now, Lived: false, Result: null);
        await ContentTable.WriteAsync(session, [row]);
        await session.ExecuteAsync(
            "upload-add",
            upload.Name.Vault.Value,
            upload.Name.Key,
            own.Value,
            upload.Begun.ToUnixTimeMilliseconds(),
            now.Value,
            upload.Carried);
        return true;
    }

    /// <summary>Ends an upload without a version; whether there was one.</summary>
    public static async Task<bool> EndAsync(Session session, UploadName name, Tick now)
    {
        ContentId own = name.Upload.Commit;
        ContentRow? row = (await ContentTable.ReadAsync(session, [own])).GetValueOrDefault(own);
        now = await FabricTable.LaterAsync(session, now);
        if (row is null || await FindAsync(session, name) is null)
        {
            return false;
        }

        await EndAsync(session, row, now);
        return true;
    }

    /// <returns>How many were ended.</returns>
    public static async Task<int> EndIdleAsync(Session session, Tick before, Tick now, int max)
    {
        var idle = new List<ContentId>();
        await session.QueryAsync(
            "uploads-idle",
            row =>
            {
                idle.Add(new ContentId(row.Id(0)));
                return true;
            },
            before.Value,
            max);
        Dictionary<ContentId, ContentRow> rows = await ContentTable.ReadAsync(session, idle);
        now = await FabricTable.LaterAsync(session, now);
        int ended = 0;

        // Whoever held one until now may have touched it, or ended it.
        foreach (UploadRow upload in (await ReadAsync(session, idle)).Values.Where(u => u.Touched < before))
        {
            try
            {
                await EndAsync(session, rows[upload.Name.Upload.Commit], now);
                ended++;
            }
            catch (ZeroStorException error) when (error.Kind == ErrorKind.Corrupt)
            {
                // What it names is not known and is left alone, as in a version that cannot be read.
            }
        }

        return ended;
    }

    /// <summary>Removes the rows of uploads and of their parts. What the parts named is the caller's to
    /// count.</summary>
    public static async Task RemoveAsync(Session session, IEnumerable<ContentId> uploads)
    {
        object?[][] ids = [.. uploads.Select(u => new object?[] { u.Value })];
        await session.ExecuteEachAsync("parts-remove", ids);
        await session.ExecuteEachAsync("upload-remove", ids);
    }

    /// <summary>All but what the object will carry.</summary>
    public static UploadRow Read(DbDataReader row) => new()
    {
        Name = new UploadName(new VaultId(row.Id(0)), row.GetString(1), new UploadId(row.Id(2))),
        Begun = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(3)),
        Revision = row.GetInt64(4),
        Touched = row.Tick(5),
    };

    private static async Task EndAsync(Session session, ContentRow upload, Tick now)
    {
        ImmutableArray<PartRow> parts = await PartTable.ReadWholeAsync(session, upload.Id);
        var names = PartNames.Of(upload.Id, parts);
        Dictionary<ContentId, ContentRow> rows = await ContentTable.ReadAsync(session, names.Counts.Keys.Order());
        await ContentTable.WriteAsync(
            session,
            [
                upload.Die(now),
                .. rows.Values.Where(r => r.State == ContentState.Live)
                    .Select(r => r.Renamed(-names.Counts[r.Id], now)),
            ]);
        await RemoveAsync(session, [upload.Id]);
    }
}
