using System.Collections.Immutable;
using System.Data.Common;

namespace ZeroStor.Catalog;

/// <param name="Names">How many versions, and parts of uploads, name it; only live ones have any.</param>
/// <param name="Tick">When it was last touched (open), committed (live), or died.</param>
/// <param name="Lived">Whether it ever was live.</param>
/// <param name="Result">What the order that made or ended it was answered; null where no order did.</param>
internal sealed record ContentRow(
    ContentId Id, VaultId Vault, ContentState State, int Names, Tick Tick, bool Lived, byte[]? Result)
{
    public ContentRow Die(Tick now) => this with { State = ContentState.Dead, Names = 0, Tick = now };

    /// <summary>Whether it holds bytes that another version of the vault may name: the row of an upload lives
    /// as well, and holds none.</summary>
    public bool MayBeNamedIn(VaultId vault) => State == ContentState.Live && Lived && Vault == vault;

    /// <summary>With more names, or fewer: the last one gone is its death.</summary>
    public ContentRow Renamed(int change, Tick now) =>
        Names + change > 0 ? this with { Names = Names + change } : Die(now);
}

/// <summary>Which contents live. Every change of a row is made within a write transaction that read it, and
/// by that keeps others from it. The tick is read after the row: see <see cref="CommitBatch"/>.</summary>
internal static class ContentTable
{
    /// <summary>A dead row is kept so long, so a content that began as long ago and has no row may have had one:
    /// it is not let in again. A dead row that is younger must not be forgotten: what was ordered of its content
    /// could be ordered twice.</summary>
    public const uint RememberedTicks = 1440;

    /// <summary>More than any page of <see cref="Geometry.StripesPerPage"/> StripeRefs takes.</summary>
    public const int MaxPageBytes = 256 * 1024;

    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    public static void CheckPage(int page, byte[] bytes)
    {
        if (page < 0 || bytes.Length > MaxPageBytes)
        {
            throw ZeroStorException.Invalid(
                $"Page {page} of {bytes.Length} bytes is none: pages count from 0 and have at most "
                + $"{MaxPageBytes}.");
        }
    }

    public static bool IsForgotten(ContentId content, Tick now) => now.Since(content.Begun) >= RememberedTicks;

    public static async Task<Dictionary<ContentId, ContentRow>> ReadAsync(
        Session session, IEnumerable<ContentId> contents)
    {
        var rows = new Dictionary<ContentId, ContentRow>();
        await session.QueryEachAsync(
            "content",
            contents.Distinct().Select(id => new object?[] { id.Value }),
            row =>
            {
                ContentRow content = Read(row);
                rows.Add(content.Id, content);
            });
        return rows;
    }

    public static Task WriteAsync(Session session, IEnumerable<ContentRow> rows) => session.ExecuteEachAsync(
        "content-put",
        rows.OrderBy(r => r.Id).Select(r => new object?[]
        {
            r.Id.Value, r.Vault.Value, (int)r.State, r.Names, r.Tick.Value, r.Lived, r.Result,
        }));

    /// <exception cref="ZeroStorException">NotFound: the vault is no more. InvalidArgument: the content is of
    /// another vault.</exception>
    public static async Task<bool> OpenAsync(Session session, ContentId content, VaultId vault, Tick now)
    {
        ContentRow? row = (await ReadAsync(session, [content])).GetValueOrDefault(content);
        now = await FabricTable.LaterAsync(session, now);
        if (row is null)
        {
            if (IsForgotten(content, now))
            {
                return false;
            }

            if (!await VaultTable.IsKnownAsync(session, vault))
            {
                throw ZeroStorException.NotFound($"Vault {vault} is no more: put into one that is.");
            }

            row = Opened(content, vault, now);
        }
        else if (row.Vault != vault)
        {
            throw ZeroStorException.Invalid(
                $"Content {content} is of vault {row.Vault}, not of {vault}: "
                + "give every content an id of its own.");
        }

        return await TouchAsync(session, row, now);
    }

    /// <exception cref="ZeroStorException">InvalidArgument: the content is committed, so its pages stand.
    /// </exception>
    public static async Task<bool> WritePageAsync(
        Session session, ContentId content, int page, byte[] bytes, Tick now)
    {
        ContentRow? row = (await ReadAsync(session, [content])).GetValueOrDefault(content);
        now = await FabricTable.LaterAsync(session, now);
        if (row?.State == ContentState.Live)
        {
            throw ZeroStorException.Invalid(
                $"Content {content} is committed, so its pages do not change: put a new one.");
        }

        // Without a row it was never opened, or it died and is forgotten: either way nothing may hang on it.
        if (row is null || !await TouchAsync(session, row, now))
        {
            return false;
        }

        await session.ExecuteAsync("page-put", content.Value, page, bytes);
        return true;
    }

    public static async Task<byte[]?> ReadPageAsync(Session session, ContentId content, int page)
    {
        byte[]? bytes = null;
        await session.QueryAsync(
            "page",
            row =>
            {
                bytes = row.Blob(0);
                return false;
            },
            content.Value,
            page);
        return bytes;
    }

    /// <returns>How many died of it.</returns>
    public static async Task<int> CondemnAsync(
        Session session, VaultId vault, IReadOnlyCollection<ContentId> contents, Tick now)
    {
        Dictionary<ContentId, ContentRow> rows = await ReadAsync(session, contents);
        now = await FabricTable.LaterAsync(session, now);
        ContentRow[] condemned =
        [
            .. contents.Distinct()
                .Select(id => rows.GetValueOrDefault(id) ?? Opened(id, vault, now))
                .Where(row => row.State == ContentState.Open)
                .Select(row => row.Die(now)),
        ];
        await WriteAsync(session, condemned);
        return condemned.Length;
    }

    public static async Task<int> CondemnIdleAsync(Session session, Tick before, Tick now)
    {
        now = await FabricTable.LaterAsync(session, now);
        return await session.ExecuteAsync("contents-condemn-idle", before.Value, now.Value);
    }

    public static async Task<ImmutableArray<DeadContent>> ListDeadAsync(
        Session session, ContentId after, Tick diedBy, int max)
    {
        var dead = ImmutableArray.CreateBuilder<DeadContent>();
        await session.QueryAsync(
            "contents-dead",
            row =>
            {
                dead.Add(new DeadContent(
                    new ContentId(row.Id(0)), new VaultId(row.Id(1)), row.Tick(2), row.GetInt64(3) != 0));
                return true;
            },
            after.Value,
            diedBy.Value,
            max);
        return dead.ToImmutable();
    }

    /// <returns>How many there were.</returns>
    public static async Task<int> ForgetAsync(Session session, IReadOnlyCollection<ContentId> contents)
    {
        Dictionary<ContentId, ContentRow> rows = await ReadAsync(session, contents);
        object?[][] dead =
        [
            .. rows.Values.Where(r => r.State == ContentState.Dead).OrderBy(r => r.Id)
                .Select(r => new object?[] { r.Id.Value }),
        ];
        await session.ExecuteEachAsync("pages-forget", dead);
        return await session.ExecuteEachAsync("content-forget", dead);
    }

    private static ContentRow Opened(ContentId content, VaultId vault, Tick now) =>
        new(content, vault, ContentState.Open, 0, now, Lived: false, Result: null);

    private static async Task<bool> TouchAsync(Session session, ContentRow row, Tick now)
    {
        if (row.State == ContentState.Open)
        {
            await WriteAsync(session, [row with { Tick = now > row.Tick ? now : row.Tick }]);
        }

        return row.State != ContentState.Dead;
    }

    private static ContentRow Read(DbDataReader row) => new(
        new ContentId(row.Id(0)),
        new VaultId(row.Id(1)),
        (ContentState)row.GetInt64(2),
        checked((int)row.GetInt64(3)),
        row.Tick(4),
        row.GetInt64(5) != 0,
        row.IsDBNull(6) ? null : row.Blob(6));
}
