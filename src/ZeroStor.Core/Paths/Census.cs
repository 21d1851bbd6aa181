using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace ZeroStor.Paths;

/// <summary>What a census came to, so far.</summary>
public readonly record struct CensusTally
{
    /// <summary>Versions of the catalog that were gone through.</summary>
    public long Versions { get; init; }

    /// <summary>Stripes that they name. What several versions name counts once a batch.</summary>
    public long Stripes { get; init; }

    /// <summary>Of them, those that some home lacked.</summary>
    public long Lacking { get; init; }

    /// <summary>Shards that were brought to homes for it.</summary>
    public long ShardsRestored { get; init; }

    /// <summary>Of the lacking, those that too few disks hold to be read, while no disk was absent.</summary>
    public long Lost { get; init; }

    /// <summary>Shards dropped because their content lives and does not name their stripe.</summary>
    public long GarbageShards { get; init; }

    /// <summary>Shards dropped because they lay where they have no place, beside a home that holds them.
    /// </summary>
    public long SurplusShards { get; init; }

    /// <summary>Versions whose manifest cannot be read: what they name is not known, and is left alone.
    /// </summary>
    public long Unreadable { get; init; }

    /// <summary>Batches that some disk did not answer for. It may hold what all others lack, so in these
    /// nothing is called lost.</summary>
    public long Blind { get; init; }

    /// <summary>Whether every disk was asked about everything.</summary>
    public bool MetAllDisks => Blind == 0;

    public static CensusTally operator +(CensusTally a, CensusTally b) => new()
    {
        Versions = a.Versions + b.Versions,
        Stripes = a.Stripes + b.Stripes,
        Lacking = a.Lacking + b.Lacking,
        ShardsRestored = a.ShardsRestored + b.ShardsRestored,
        Lost = a.Lost + b.Lost,
        GarbageShards = a.GarbageShards + b.GarbageShards,
        SurplusShards = a.SurplusShards + b.SurplusShards,
        Unreadable = a.Unreadable + b.Unreadable,
        Blind = a.Blind + b.Blind,
    };
}

/// <summary>Compares disks with the catalog, both ways. It goes through all versions, asks every disk what it
/// holds of the contents that a batch of them names, and sees to it that
/// <list type="bullet">
/// <item>a stripe which some home lacks goes to repair, and one that nobody can read any more is counted and
/// named;</item>
/// <item>a stripe which its content does not name (a placing that was given up) is dropped, if the content
/// lives: then what it names is final;</item>
/// <item>a shard on a disk that is neither its home nor a former one is dropped, where the home holds it.</item>
/// </list> Contents without a row, and dead ones, are not its business: see <see cref="FindOrphans"/>.
/// Idempotent; what it did not finish the next one does. Memory: a batch of <see cref="StripesPerBatch"/>
/// stripes, or the stripes of one content where that has more; a version of many contents may be judged in
/// several batches. What a part of an upload names it meets once the upload is completed. For one caller at a
/// time.</summary>
public sealed class Census(
    IShardHome homes, IFabricMap map, ICatalog catalog, RepairGroup repair, TimeProvider time)
{
    /// <summary>Each batch costs every disk a pass over its index, so it is large; some megabytes here.</summary>
    private const int StripesPerBatch = 16_384;

    private const int VersionsPerPage = 1024;

    /// <summary>Shards dropped by one order, and contents of one question to the catalog.</summary>
    private const int ShardsPerOrder = 1024;

    /// <summary>Groups repaired at once: each waits a while for stripes in flight.</summary>
    private const int GroupsAtOnce = 4;

    /// <summary>Lost stripes that are named one by one.</summary>
    private const int MaxNamed = 100;

    /// <summary>Works at most this share of the time, so that readers don't notice it; above 0, and 1 is
    /// without pause.</summary>
    public double Share { get; set; } = 1;

    /// <summary>A disk gets this long for each answer; who takes longer is absent for the batch.</summary>
    public TimeSpan HomeTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Versions with stripes that the last run found lost; the first hundred.</summary>
    public ImmutableArray<VersionName> LostVersions { get; private set; } = [];

    /// <param name="progress">Told how far it is, after each batch.</param>
    /// <param name="cancel">Ends it between two batches, or in the middle of one.</param>
    /// <exception cref="ZeroStorException">The catalog could not be asked.</exception>
    public async Task<CensusTally> RunAsync(IProgress<CensusTally>? progress, CancellationToken cancel)
    {
        LostVersions = [];
        var tally = default(CensusTally);
        var batch = new CensusBatch();
        await foreach (NamedVersion version in VersionsAsync(cancel))
        {
            tally += new CensusTally { Versions = 1 };
            if (ContentsOf(version) is not { } contents)
            {
                tally += new CensusTally { Unreadable = 1 };
                continue;
            }

            foreach (ContentRef content in contents)
            {
                await AddAsync(batch, content, version.Name, cancel);
                if (batch.Stripes.Count >= StripesPerBatch)
                {
                    tally += await JudgeAsync(batch, cancel);
                    progress?.Report(tally);
                    batch = new CensusBatch();
                }
            }
        }

        tally += await JudgeAsync(batch, cancel);
        progress?.Report(tally);
        return tally;
    }

    // The current ones first: what is current no more meanwhile is met then.
    private async IAsyncEnumerable<NamedVersion> VersionsAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        foreach (bool isFormer in (bool[])[false, true])
        {
            VersionName after = default;
            while (true)
            {
                ImmutableArray<NamedVersion> page = isFormer
                    ? await catalog.ScanFormerAsync(after, VersionsPerPage, cancel)
                    : await catalog.ScanAsync(after, VersionsPerPage, cancel);
                if (page.IsEmpty)
                {
                    break;
                }

                foreach (NamedVersion version in page)
                {
                    yield return version;
                }

                after = page[^1].Name;
            }
        }
    }

    private static ImmutableArray<ContentRef>? ContentsOf(NamedVersion version)
    {
        try
        {
            return Manifest.Decode(version.Row.Manifest).Contents;
        }
        catch (ZeroStorException e) when (e.Kind == ErrorKind.Corrupt)
        {
            return null;
        }
    }

    private async Task AddAsync(
        CensusBatch batch, ContentRef content, VersionName version, CancellationToken cancel)
    {
        if (!batch.Contents.Contains(content.Id) && await StripesAsync(content, cancel) is { } stripes)
        {
            batch.Add(content.Id, stripes, version);
        }
    }

    // Null when it cannot be told what the content names: the version went meanwhile, or a page is damaged.
    private async Task<IReadOnlyList<StripeRef>?> StripesAsync(ContentRef content, CancellationToken cancel)
    {
        if (!content.IsPaged)
        {
            return content.Stripes.Length == content.StripeCount ? content.Stripes : null;
        }

        var stripes = new List<StripeRef>(content.StripeCount);
        for (int page = 0; stripes.Count < content.StripeCount; page++)
        {
            if (await catalog.ReadPageAsync(content.Id, page, cancel) is not { } bytes)
            {
                return null;
            }

            try
            {
                stripes.AddRange(Manifest.DecodePage(content.Code, bytes));
            }
            catch (ZeroStorException e) when (e.Kind == ErrorKind.Corrupt)
            {
                return null;
            }
        }

        return stripes.Count == content.StripeCount ? stripes : null;
    }

    private async Task<CensusTally> JudgeAsync(CensusBatch batch, CancellationToken cancel)
    {
        long started = time.GetTimestamp();
        FabricMap current = map.Current;
        bool isBlind = !await AskAllAsync(batch, current, cancel);
        long garbage = await DropGarbageAsync(batch, current, cancel);
        long surplus = await DropAsync(
            batch.Strays.Where(s => batch.Stripes[s.Shard.Stripe].IsSurplus(current, s.Shard)), current, cancel);
        CensusStripe[] lacking = [.. batch.Stripes.Values.Where(s => !s.IsWhole(current))];
        long restored = await RepairAsync(batch, current, lacking, cancel);
        long lost = isBlind ? 0 : await CountLostAsync(current, lacking, cancel);
        await PauseAsync(time.GetElapsedTime(started), cancel);
        return new CensusTally
        {
            Stripes = batch.Stripes.Count,
            Lacking = lacking.Length,
            ShardsRestored = restored,
            Lost = lost,
            GarbageShards = garbage,
            SurplusShards = surplus,
            Blind = isBlind ? 1 : 0,
        };
    }

    private Task PauseAsync(TimeSpan worked, CancellationToken cancel) =>
        Share < 1 ? Task.Delay(worked * ((1 / Share) - 1), time, cancel) : Task.CompletedTask;

    // False when some disk is absent: it may hold what nobody else does.
    private async Task<bool> AskAllAsync(CensusBatch batch, FabricMap current, CancellationToken cancel)
    {
        bool hasAll = true;
        foreach (DiskEntry disk in current.Disks.Where(d => !current.IsGone(d)))
        {
            hasAll &= disk.State != DiskState.Missing && await AskAsync(batch, current, disk, cancel);
        }

        return hasAll;
    }

    private async Task<bool> AskAsync(
        CensusBatch batch, FabricMap current, DiskEntry disk, CancellationToken cancel)
    {
        StripeId after = default;
        try
        {
            while (true)
            {
                ImmutableArray<ShardEntry> page = await homes.HeldAsync(
                    new DiskAddress(disk.Id, disk.Claim), batch.Contents, after, StripesPerBatch, cancel)
                    .AsTask().WaitAsync(HomeTimeout, time, cancel);
                foreach (ShardEntry shard in page)
                {
                    batch.Saw(current, disk.Id, shard);
                }

                if (page.Length < StripesPerBatch)
                {
                    return true;
                }

                after = page[^1].Stripe;
            }
        }
        catch (Exception e) when (e is not OutOfMemoryException && !cancel.IsCancellationRequested)
        {
            return false;
        }
    }

    // A content that died meanwhile is the reclaimer's, and one that lives still names what it did.
    private async Task<long> DropGarbageAsync(CensusBatch batch, FabricMap current, CancellationToken cancel)
    {
        HashSet<ContentId> live = await LiveAsync(batch.Garbage.Select(g => g.Shard.Content), cancel);
        return await DropAsync(batch.Garbage.Where(g => live.Contains(g.Shard.Content)), current, cancel);
    }

    private async Task<long> DropAsync(
        IEnumerable<(DiskId Disk, ShardEntry Shard)> shards, FabricMap current, CancellationToken cancel)
    {
        long dropped = 0;
        foreach (var ofDisk in shards.GroupBy(s => s.Disk))
        {
            foreach (ShardEntry[] chunk in ofDisk.Select(s => s.Shard).Chunk(ShardsPerOrder))
            {
                var order = new ShardDrop
                {
                    To = new DiskAddress(ofDisk.Key, current.Disk(ofDisk.Key)!.Claim),
                    MapVersion = current.Version,
                    Shards = [.. chunk.Select(s => new ShardName(s.Stripe, s.Place))],
                };
                dropped += await TryDropAsync(order, cancel) ? chunk.Length : 0;
            }
        }

        return dropped;
    }

    // What was not dropped now is found again by the next census.
    private async Task<bool> TryDropAsync(ShardDrop order, CancellationToken cancel)
    {
        try
        {
            HomeAnswer answer = await homes.DropAsync(order, cancel).AsTask().WaitAsync(HomeTimeout, time, cancel);
            return answer.IsDone;
        }
        catch (Exception e) when (e is ZeroStorException or TimeoutException)
        {
            return false;
        }
    }

    private async Task<long> RepairAsync(
        CensusBatch batch, FabricMap current, CensusStripe[] lacking, CancellationToken cancel)
    {
        ILookup<StripeId, (DiskId Disk, int Place)> strays =
            batch.Strays.ToLookup(s => s.Shard.Stripe, s => (s.Disk, (int)s.Shard.Place));
        var byGroup = lacking
            .Where(s => s.HasHomeToFill(current))
            .GroupBy(s => s.Ref.Group, s => new LackingStripe(s.Ref.Id, [.. strays[s.Ref.Id]]));
        long restored = 0;
        await Parallel.ForEachAsync(
            byGroup,
            new ParallelOptions { MaxDegreeOfParallelism = GroupsAtOnce, CancellationToken = cancel },
            async (group, token) =>
            {
                RepairTally tally = await repair.RunStripesAsync(group.Key, [.. group], token);
                Interlocked.Add(ref restored, tally.ShardsRebuilt + tally.ShardsCopied);
            });
        return restored;
    }

    private async Task<long> CountLostAsync(FabricMap current, CensusStripe[] lacking, CancellationToken cancel)
    {
        CensusStripe[] unreadable = [.. lacking.Where(s => s.IsUnreadable(current))];
        HashSet<ContentId> live = await LiveAsync(unreadable.Select(s => s.Content), cancel);
        CensusStripe[] lost = [.. unreadable.Where(s => live.Contains(s.Content))];
        LostVersions = [.. LostVersions.Concat(lost.Select(s => s.Version)).Distinct().Take(MaxNamed)];
        return lost.Length;
    }

    private async Task<HashSet<ContentId>> LiveAsync(IEnumerable<ContentId> contents, CancellationToken cancel)
    {
        var live = new HashSet<ContentId>();
        foreach (ContentId[] chunk in contents.Distinct().Chunk(ShardsPerOrder))
        {
            ImmutableArray<ContentState?> states = await catalog.StatesAsync(chunk, cancel);
            live.UnionWith(chunk.Where((_, i) => states[i] == ContentState.Live));
        }

        return live;
    }
}
