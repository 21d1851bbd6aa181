namespace ZeroStor.Volumes;

/// <summary>What a sealed volume lists, read on from a block of its footer. A footer that cannot be read any
/// more is no end: the records' own headers tell the rest. Keeps the volume's file open until
/// disposed.</summary>
internal sealed class FooterListing : IDisposable
{
    // As many as a pass has of a footer at once.
    private const int ScannedAtOnce = 4096;

    private readonly Volume _volume;
    private readonly VolumeFooter _footer;
    private readonly int _blocksAtOnce;
    private readonly Action<List<HeldShard>> _keepHeld;
    private readonly List<HeldShard> _page = [];
    private List<HeldShard>? _scanned;
    private HeldShard? _last;
    private int _block;
    private int _nextScanned;
    private int _index = -1;

    /// <param name="volume">A volume that has a footer.</param>
    /// <param name="block">The first of its blocks to read.</param>
    /// <param name="blocksAtOnce">How many make a page.</param>
    /// <param name="keepHeld">Takes out of a page what is not held any more.</param>
    internal FooterListing(Volume volume, int block, int blocksAtOnce, Action<List<HeldShard>> keepHeld)
    {
        _volume = volume;
        _footer = volume.Footer!;
        _block = block;
        _blocksAtOnce = blocksAtOnce;
        _keepHeld = keepHeld;
        volume.Pin();
    }

    /// <summary>Where <see cref="TryMoveTo"/> stopped.</summary>
    internal HeldShard Current => _page[_index];

    /// <summary>Fills a list with the next shards, none perhaps; false at the end.</summary>
    internal bool TryNext(List<HeldShard> page)
    {
        page.Clear();
        if (_scanned is null)
        {
            if (_block == _footer.Blocks)
            {
                return false;
            }

            int count = Math.Min(_blocksAtOnce, _footer.Blocks - _block);
            if (TryRead(count, page))
            {
                _block += count;
                _last = page[^1];
                _keepHeld(page);
                return true;
            }

            _scanned = Scan();
        }

        int more = Math.Min(ScannedAtOnce, _scanned.Count - _nextScanned);
        page.AddRange(_scanned.GetRange(_nextScanned, more));
        _nextScanned += more;
        _keepHeld(page);
        return more > 0;
    }

    /// <summary>Goes to the next shard of a group behind a stripe; false when there is none.</summary>
    internal bool TryMoveTo(GroupId group, StripeId after)
    {
        while (true)
        {
            while (++_index < _page.Count)
            {
                int order = Current.Group.CompareTo(group);
                if (order > 0)
                {
                    return false;
                }

                if (order == 0 && Current.Stripe.CompareTo(after) > 0)
                {
                    return true;
                }
            }

            if (!TryNext(_page))
            {
                return false;
            }

            _index = -1;
        }
    }

    public void Dispose() => _volume.Unpin();

    private bool TryRead(int count, List<HeldShard> page)
    {
        try
        {
            return _footer.TryRead(_block, count, page);
        }
        catch (OsException)
        {
            return false;
        }
    }

    // In the order of footers, behind what was told already.
    private List<HeldShard> Scan()
    {
        _volume.IsFooterBad = true;
        VolumeScan scan = VolumeScanner.Scan(
            _volume.File, _volume.Number, _volume.Generation, _volume.End, long.MaxValue);
        _volume.IsUnreadable |= scan.IsUnreadable;
        _volume.IsUntold = scan.IsUnreadable;
        _volume.MayHoldUnnamed |= scan.BadRegions > 0;
        List<HeldShard> shards =
        [
            .. scan.Records.Where(r => r.Header.Kind == RecordKind.Shard)
                .Select(r => HeldShard.Of(r.Header, r.At))
                .Where(s => _last is not { } last || s.CompareNames(last) > 0),
        ];
        shards.Sort((a, b) => a.CompareNames(b));
        return shards;
    }
}
