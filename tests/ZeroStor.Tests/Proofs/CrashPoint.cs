namespace ZeroStor.Tests.Proofs;

/// <summary>A moment at which the power may fail: what is durable, what was done since and may stand in part,
/// and what the disk owes whatever of it does.</summary>
internal sealed record CrashPoint(DiskImage Durable, IReadOnlyList<FileChange> Pending, DiskDebt? Debt)
{
    /// <summary>Where so many changes are pending, each subset of them is tried; of more, a choice.</summary>
    private const int AllSubsetsOf = 6;

    private const int Subsets = 1 << AllSubsetsOf;

    /// <summary>What a disk writes at once. A write is whole, or any of its sectors are.</summary>
    private const int SectorBytes = 512;

    /// <summary>Places at which a long write is cut, at most.</summary>
    private const int Cuts = 12;

    /// <summary>The moments after each entry of a journal.</summary>
    internal static IEnumerable<CrashPoint> All(DiskImage start, IReadOnlyList<FileChange> journal)
    {
        DiskImage durable = start;
        DiskDebt? debt = null;
        var pending = new List<FileChange>();
        foreach (FileChange entry in journal)
        {
            switch (entry)
            {
                case Owed owed:
                    debt = owed.Debt;
                    break;
                case FolderMade:
                    durable = durable.With([entry]);
                    break;
                case Barrier barrier:
                    durable = durable.With(pending.Where(barrier.Covers));
                    pending.RemoveAll(barrier.Covers);
                    break;
                default:
                    pending.Add(entry);
                    break;
            }

            yield return new CrashPoint(durable, [.. pending], debt);
        }
    }

    /// <summary>The states in which the device may be found, some of them more than once.</summary>
    /// <param name="lifeBefore">What stood in the blocks of the file of this name before it was made.</param>
    /// <param name="random">Chooses among what is too much for all of it.</param>
    internal IEnumerable<DiskImage> States(Func<string, byte[]> lifeBefore, Random random)
    {
        foreach (ulong mask in Masks(Pending.Count, random))
        {
            yield return Durable.With(Pending.Where((_, i) => (mask >> i & 1) == 1));
        }

        for (int i = 0; i < Pending.Count; i++)
        {
            if (Pending[i] is not Written write)
            {
                continue;
            }

            foreach (FileChange[] torn in Tear(write, lifeBefore(write.Path), random))
            {
                yield return Durable.With([.. Pending.Take(i), .. torn, .. Pending.Skip(i + 1)]);
                if (Pending.Count > 1)
                {
                    // The names stand, or there would be nothing to see.
                    yield return Durable.With([.. Pending.Where(p => p is Renamed), .. torn]);
                }
            }
        }
    }

    // Subsets as bits. All of a few; of many none, all, each alone, all but each, and some by chance.
    private static IEnumerable<ulong> Masks(int count, Random random)
    {
        if (count <= AllSubsetsOf)
        {
            return Enumerable.Range(0, 1 << count).Select(m => (ulong)m);
        }

        Assert.InRange(count, 0, 63);
        ulong all = (1UL << count) - 1;
        IEnumerable<ulong> each = Enumerable.Range(0, count).Select(i => 1UL << i);
        IEnumerable<ulong> chance =
            Enumerable.Range(0, Subsets).Select(_ => (ulong)random.NextInt64() & all);
        return new ulong[] { 0, all }.Concat(each).Concat(each.Select(e => all & ~e)).Concat(chance)
            .Distinct().Take(Subsets);
    }

    // Cut at a sector from either side, any of the sectors that are not zeros, and only the length of it.
    private static IEnumerable<FileChange[]> Tear(Written write, byte[] lifeBefore, Random random)
    {
        Written[] sectors = [.. Split(write)];
        var length = new Lengthened(write.Inode, write.At + write.Bytes.Length, []);
        Lengthened recycled = length with { LifeBefore = lifeBefore };
        yield return [length];
        yield return [recycled];
        foreach (int cut in CutsOf(sectors.Length, random))
        {
            yield return [.. sectors[..cut]];
            yield return [.. sectors[cut..]];
            yield return [recycled, .. sectors[..cut]];
            yield return [recycled, .. sectors[cut..]];
        }

        int[] full = [.. Enumerable.Range(0, sectors.Length)
            .Where(s => sectors[s].Bytes.AsSpan().ContainsAnyExcept((byte)0))];
        foreach (ulong mask in Masks(Math.Min(full.Length, 63), random))
        {
            bool Stands(int sector) =>
                Array.IndexOf(full, sector) is var i && (i < 0 || i >= 63 || (mask >> i & 1) == 1);
            yield return [.. sectors.Where((_, s) => Stands(s))];
        }
    }

    private static IEnumerable<int> CutsOf(int sectors, Random random)
    {
        int[] cuts = [.. Enumerable.Range(1, Math.Max(0, sectors - 1))];
        if (cuts.Length > Cuts)
        {
            // Most records lie at the front.
            random.Shuffle(cuts.AsSpan(Cuts / 2));
        }

        return cuts.Take(Cuts);
    }

    private static IEnumerable<Written> Split(Written write)
    {
        for (int from = 0, to; from < write.Bytes.Length; from = to)
        {
            long sectorEnd = (write.At + from + SectorBytes) / SectorBytes * SectorBytes;
            to = (int)Math.Min(write.Bytes.Length, sectorEnd - write.At);
            yield return new Written(write.Inode, write.Path, write.At + from, write.Bytes[from..to]);
        }
    }
}
