using System.Collections.Immutable;

namespace ZeroStor.Catalog;

internal sealed record FabricRow(
    FabricId Fabric, Tick Tick, long MapVersion, Tick? WentBack, CensusMark? Census, string? MasterKey);

/// <summary>The one row that says who the fabric is, its tick, and the map, which is kept as whole entries by
/// their numbers. Entries are replaced, never removed, so the highest number of a table is the highest that
/// ever was.</summary>
internal static class FabricTable
{
    public static async Task<FabricRow?> ReadAsync(Session session)
    {
        FabricRow? fabric = null;
        await session.QueryAsync("fabric", row =>
        {
            fabric = new FabricRow(
                new FabricId(row.Id(0)),
                row.Tick(1),
                row.GetInt64(2),
                row.IsDBNull(3) ? null : row.Tick(3),
                row.IsDBNull(4) ? null : new CensusMark(row.Tick(4), row.GetInt64(5)),
                row.IsDBNull(6) ? null : row.GetString(6));
            return false;
        });
        return fabric;
    }

    /// <summary>The later of an order's tick and the catalog's. A silo that was cut off may say an old one,
    /// and by that what dies now would be reclaimed too early, and a counter would go back.</summary>
    public static async Task<Tick> LaterAsync(Session session, Tick now)
    {
        Tick tick = (await ReadAsync(session))!.Tick;
        return tick > now ? tick : now;
    }

    public static async Task<Tick> RaiseTickAsync(Session session, Tick from)
    {
        int raised = await session.ExecuteAsync("tick-raise", from.Value);
        Tick tick = (await ReadAsync(session))!.Tick;
        if (raised > 0)
        {
            // From here on every new seq is above these: see KeyState.NextSeq.
            await session.ExecuteAsync("counters-forget", VersionRow.FirstSeq(tick));
        }

        return tick;
    }

    public static async Task<FabricState> NoticeWentBackAsync(Session session, Tick seen)
    {
        await session.ExecuteAsync("went-back", seen.Value);
        return await StateAsync(session);
    }

    public static async Task<bool> AdoptAsync(Session session, Tick wentBack) =>
        await session.ExecuteAsync("adopt", wentBack.Value) > 0;

    public static Task MarkCensusAsync(Session session, CensusMark census) =>
        session.ExecuteAsync("census-mark", census.Began.Value, census.Lost);

    public static async Task<string> EnterMasterKeyAsync(Session session, string id)
    {
        await session.ExecuteAsync("master-key", id);
        return (await ReadAsync(session))!.MasterKey!;
    }

    public static async Task<string> ReplaceMasterKeyAsync(Session session, string was, string id)
    {
        await session.ExecuteAsync("master-key-replace", was, id);
        return (await ReadAsync(session))!.MasterKey!;
    }

    public static async Task<FabricState> StateAsync(Session session)
    {
        FabricRow fabric = (await ReadAsync(session))!;
        return new FabricState(fabric.Fabric, fabric.Tick)
        {
            MapVersion = fabric.MapVersion,
            WentBack = fabric.WentBack,
            Census = fabric.Census,
            MasterKey = fabric.MasterKey,
            DatabaseId = await session.ReadDatabaseIdAsync(),
        };
    }

    public static async Task<FabricMap> ReadMapAsync(Session session)
    {
        FabricRow fabric = (await ReadAsync(session))!;
        return new FabricMap(
            fabric.Fabric,
            fabric.MapVersion,
            await EntriesAsync(session, "disks", MapCodec.ReadDisk),
            await EntriesAsync(session, "classes", MapCodec.ReadClass),
            await EntriesAsync(session, "groups", MapCodec.ReadGroup));
    }

    public static async Task<bool> ChangeMapAsync(Session session, MapChange change)
    {
        if (await session.ExecuteAsync("map-raise", change.FromVersion) == 0)
        {
            return false;
        }

        await session.ExecuteEachAsync(
            "disk-put", change.Disks.Select(d => new object?[] { d.Id.Value, MapCodec.Encode(d) }));
        await session.ExecuteEachAsync(
            "class-put", change.Classes.Select(c => new object?[] { c.Id.Value, MapCodec.Encode(c) }));
        await session.ExecuteEachAsync(
            "group-put", change.Groups.Select(g => new object?[] { g.Id.Value, MapCodec.Encode(g) }));
        Tick tick = (await ReadAsync(session))!.Tick;
        await session.ExecuteAsync("map-log", change.FromVersion + 1, tick.Value, MapCodec.Encode(change));
        return true;
    }

    private static async Task<ImmutableArray<T>> EntriesAsync<T>(
        Session session, string statement, Func<byte[], T> read)
    {
        var entries = ImmutableArray.CreateBuilder<T>();
        await session.QueryAsync(statement, row =>
        {
            entries.Add(read(row.Blob(0)));
            return true;
        });
        return entries.ToImmutable();
    }
}
