using System.Collections.Immutable;

namespace ZeroStor.Volumes;

/// <summary>What wants to see many shards: it goes through the volumes a page at a time, reads footers
/// without the lock, and asks under it which of what they list is still held.</summary>
internal sealed partial class DiskContents
{
    /// <summary>Blocks of a footer that a pass reads at once: 256 KiB.</summary>
    private const int BlocksAtOnce = 64;

    /// <summary>The volumes in which records of these contents lie, or may lie. A content without any shard
    /// is not in the answer.</summary>
    internal Dictionary<DeleteScope, SortedSet<uint>> FindContents(HashSet<ContentId> contents)
    {
        var found = new Dictionary<DeleteScope, SortedSet<uint>>();
        foreach (Volume volume in Volumes())
        {
            IEnumerable<HeldShard> held = HeldIn(volume).SelectMany(p => p);
            foreach (HeldShard shard in held.Where(s => contents.Contains(s.Content)))
            {
                VolumesOf(found, DeleteScope.Of(shard.Content)).Add(volume.Number);
            }

            if (volume.IsUntold)
            {
                // What it holds is told when it can be read again, and must be dead by then.
                foreach (ContentId content in contents)
                {
                    VolumesOf(found, DeleteScope.Of(content)).Add(volume.Number);
                }
            }
        }

        AddUnnamed(found);
        return found;
    }

    /// <summary>As <see cref="FindContents"/>, for single shards; those that are not there are not in the
    /// answer.</summary>
    internal Dictionary<DeleteScope, SortedSet<uint>> FindShards(HashSet<ShardName> shards)
    {
        var found = new Dictionary<DeleteScope, SortedSet<uint>>();
        foreach (ShardName name in shards)
        {
            if (TryPin(name, out _, out Volume volume))
            {
                volume.Unpin();
                VolumesOf(found, DeleteScope.Of(name)).Add(volume.Number);
            }
        }

        AddUnnamed(found);
        return found;
    }

    /// <summary>Drops what these deletes kill: every such shard whose record stands before the delete's
    /// position. Where a content is among them, it passes over the volumes without a footer and those
    /// named.</summary>
    /// <param name="untilOf">The deletes.</param>
    /// <param name="among">Volumes in which their targets lie, or may lie.</param>
    internal void Delete(Dictionary<DeleteScope, RecordPosition> untilOf, IReadOnlySet<uint> among)
    {
        foreach ((DeleteScope scope, RecordPosition until) in untilOf.Where(d => d.Key.IsShard))
        {
            if (TryPin(scope.Shard, out HeldShard shard, out Volume volume))
            {
                volume.Unpin();
                DropBefore(shard, until);
            }
        }

        if (untilOf.Keys.All(s => s.IsShard))
        {
            return;
        }

        foreach (Volume volume in Volumes().Where(v => v.Recent is not null || among.Contains(v.Number)))
        {
            foreach (HeldShard shard in HeldIn(volume).SelectMany(p => p))
            {
                if (untilOf.TryGetValue(DeleteScope.Of(shard.Content), out RecordPosition until))
                {
                    DropBefore(shard, until);
                }
            }
        }
    }

    /// <summary>The live records of a volume, in the order of their offsets.</summary>
    internal List<LiveRecord> LiveRecords(uint number)
    {
        Volume volume;
        lock (_lock)
        {
            volume = _volumes[number];
        }

        List<LiveRecord> live =
        [
            .. HeldIn(volume).SelectMany(p => p)
                .Where(s => !s.IsBad)
                .Select(s => new LiveRecord(s.Position, s.RecordBytes)),
            .. KeptOf(volume).Select(k => new LiveRecord(k.Position, k.RecordBytes)),
        ];
        live.Sort((a, b) => a.Position.CompareTo(b.Position));
        return live;
    }

    /// <summary>Takes a volume out that holds nothing live: nobody finds it any more. Its file is still
    /// there, so deletes that name it are still kept, until <see cref="ForgetVolume"/>.</summary>
    internal bool TryRetire(Volume volume)
    {
        lock (_lock)
        {
            if (!volume.IsSealed || volume.IsUnreadable || volume.LiveBytes > 0)
            {
                return false;
            }
        }

        // Nothing live, and nothing new comes to a sealed volume: what is left was found damaged.
        foreach (HeldShard bad in HeldIn(volume).SelectMany(p => p))
        {
            DropBefore(bad, new RecordPosition(ulong.MaxValue));
        }

        lock (_lock)
        {
            if (volume.Shards > 0)
            {
                // Neither record nor footer says any more who they were.
                int lost = _finder.RemoveVolume(volume.Number);
                volume.Shards -= lost;
                _shards -= lost;
                _badShards -= lost;
            }
        }

        return true;
    }

    /// <summary>The first shards of a group behind <paramref name="after"/>. Where the last stripe has
    /// several places here all of them are told, beyond <paramref name="max"/> if need be: the next page
    /// begins behind it. Seeks in the footers of volumes that hold the group, and passes over the shards of
    /// volumes without one.</summary>
    internal ImmutableArray<ShardEntry> List(GroupId group, StripeId after, int max) => Told(
        page =>
        {
            // What moves meanwhile moves into volumes without a footer: those last.
            OfferFirst(group, after, max, page);
            foreach (Volume volume in Volumes().Where(v => v.Recent is not null))
            {
                Offer(HeldIn(volume), s => s.Group == group, page);
            }
        },
        after,
        max);

    /// <summary>The first shards of these contents behind <paramref name="after"/>, in pages as those of
    /// <see cref="List"/>. Passes over all footers.</summary>
    internal ImmutableArray<ShardEntry> Held(HashSet<ContentId> contents, StripeId after, int max) => Told(
        page =>
        {
            // What moves meanwhile moves into volumes without a footer: those last.
            foreach (Volume volume in Volumes().OrderBy(v => v.Recent is not null))
            {
                Offer(HeldIn(volume), s => contents.Contains(s.Content), page);
            }
        },
        after,
        max);

    /// <summary>The shards in a volume that are held, damaged ones among them, in pages in a list that is
    /// used again: in the order of footers where there is one.</summary>
    private IEnumerable<List<HeldShard>> HeldIn(Volume volume)
    {
        var page = new List<HeldShard>();
        RecentShards? recent;
        bool isEmpty;
        lock (_lock)
        {
            recent = volume.Recent;
            isEmpty = volume.Shards == 0;
        }

        // An empty volume may be unlinked already; and a disk that was closed meanwhile tells nothing.
        if (isEmpty || !volume.TryPin())
        {
            yield break;
        }

        try
        {
            int pages = recent?.Pages ?? 0;
            for (int i = 0; i < pages; i++)
            {
                page.Clear();
                lock (_lock)
                {
                    recent!.CopyPage(i, page);
                }

                KeepHeld(page);
                yield return page;
            }

            if (recent is null)
            {
                using var listing = new FooterListing(volume, 0, BlocksAtOnce, KeepHeld);
                while (listing.TryNext(page))
                {
                    yield return page;
                }
            }
        }
        finally
        {
            volume.Unpin();
        }
    }

    // Of what a footer lists, that which is held is left, and said to be damaged where it is.
    private void KeepHeld(List<HeldShard> page)
    {
        int kept = 0;
        lock (_lock)
        {
            for (int i = 0; i < page.Count; i++)
            {
                if (Holds(page[i].Name, page[i].Position, out bool isBad))
                {
                    page[kept++] = page[i] with { IsBad = isBad };
                }
            }
        }

        page.RemoveRange(kept, page.Count - kept);
    }

    private static void Offer(
        IEnumerable<List<HeldShard>> pages, Func<HeldShard, bool> isAsked, StripePage into)
    {
        foreach (HeldShard shard in pages.SelectMany(p => p).Where(isAsked))
        {
            into.Offer(shard);
        }
    }

    // A volume that comes or gets its footer meanwhile may be missed as one with, and as one without.
    private ImmutableArray<ShardEntry> Told(Action<StripePage> pass, StripeId after, int max)
    {
        while (true)
        {
            int seals = Volatile.Read(ref _changes);
            var page = new StripePage(after, max);
            pass(page);
            if (seals == Volatile.Read(ref _changes))
            {
                return page.ToEntries();
            }
        }
    }

    // Merges the footers, of each of which only the blocks are read whose shards come first.
    private void OfferFirst(GroupId group, StripeId after, int max, StripePage page)
    {
        var listings = new List<FooterListing>();
        var next = new PriorityQueue<FooterListing, (StripeId, byte)>();
        try
        {
            foreach (Volume volume in Volumes())
            {
                if (volume.Footer is { } footer && footer.HasGroup(group) && volume.TryPin())
                {
                    var listing = new FooterListing(volume, footer.Seek(group, after), 1, KeepHeld);
                    listings.Add(listing);
                    volume.Unpin();
                    Advance(listing);
                }
            }

            StripeId last = default;
            int told = 0;
            while (next.TryDequeue(out FooterListing? listing, out _))
            {
                HeldShard shard = listing.Current;
                if (told >= max && shard.Stripe != last)
                {
                    break;
                }

                page.Offer(shard);
                told += shard.IsBad ? 0 : 1;
                last = shard.Stripe;
                Advance(listing);
            }
        }
        finally
        {
            listings.ForEach(l => l.Dispose());
        }

        void Advance(FooterListing listing)
        {
            if (listing.TryMoveTo(group, after))
            {
                next.Enqueue(listing, (listing.Current.Stripe, listing.Current.Place));
            }
        }
    }

    private void DropBefore(in HeldShard shard, RecordPosition until)
    {
        lock (_lock)
        {
            if (shard.Position.CompareTo(until) < 0)
            {
                Drop(shard);
            }
        }
    }

    // Which shard's record lies here; null when neither it nor the footer can tell.
    private HeldShard? Identify(Volume volume, RecordPosition at)
    {
        lock (_lock)
        {
            if (volume.Recent is { } recent)
            {
                return recent.FindAt(at);
            }
        }

        try
        {
            byte[] bytes = new byte[RecordFormat.MaxHeaderBytes];
            int read = volume.File.Read(bytes, at.Offset);
            if (RecordFormat.TryRead(bytes.AsSpan(0, read), volume.Generation, at, out RecordHeader header))
            {
                return header.Kind == RecordKind.Shard ? HeldShard.Of(header, at) : null;
            }
        }
        catch (OsException)
        {
            // Its footer may be read all the same.
        }

        using var listing = new FooterListing(volume, 0, BlocksAtOnce, _ => { });
        var page = new List<HeldShard>();
        while (listing.TryNext(page))
        {
            int index = page.FindIndex(s => s.Position == at);
            if (index >= 0)
            {
                return page[index];
            }
        }

        return null;
    }

    private static SortedSet<uint> VolumesOf(
        Dictionary<DeleteScope, SortedSet<uint>> found, DeleteScope scope)
    {
        if (!found.TryGetValue(scope, out SortedSet<uint>? volumes))
        {
            found.Add(scope, volumes = []);
        }

        return volumes;
    }

    // Records that the index does not name may be anybody's.
    private void AddUnnamed(Dictionary<DeleteScope, SortedSet<uint>> found)
    {
        uint[] unnamed = [.. Volumes().Where(v => v.MayHoldUnnamed).Select(v => v.Number)];
        foreach (SortedSet<uint> volumes in found.Values)
        {
            volumes.UnionWith(unnamed);
        }
    }
}
