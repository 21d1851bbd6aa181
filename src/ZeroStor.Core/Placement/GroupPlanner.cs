using System.Collections.Immutable;

namespace ZeroStor.Placement;

/// <summary>Decides which disks share a placement group, and in which order. Every disk stands at most once
/// in a group, and of every failure domain of the spread at most m disks do, so that losing one whole domain
/// loses no stripe. Groups are dealt so that disks carry about the same number of places, and each group
/// begins at another disk, so that parity and first slices lie on every disk. Pure: equal input, equal
/// groups.</summary>
public static class GroupPlanner
{
    /// <summary>Groups for each disk beyond n of a class: enough choice that two random ones rarely share
    /// their bottleneck, few enough that a large fabric's map stays in memory.</summary>
    private const int GroupsPerDisk = 4;

    /// <summary>Codes to suggest where one does not fit, the cheapest first.</summary>
    private static readonly ImmutableArray<Code> CommonCodes =
        [new(20, 4), new(16, 4), new(10, 4), new(8, 3), new(6, 3), new(4, 2), new(2, 1), new(1, 1)];

    /// <summary>The groups of a class over these disks, each n disks in order of places.</summary>
    /// <exception cref="ZeroStorException">PolicyUnsatisfiable, with what is missing and what would fit.
    /// </exception>
    public static ImmutableArray<ImmutableArray<DiskId>> Plan(
        IReadOnlyCollection<DiskEntry> disks, Code code, Spread spread)
    {
        DemandFit(disks, code, spread);
        DiskEntry[] ordered = [.. disks.OrderBy(d => d.Id)];
        int groupCount = GroupCount(ordered.Length, code);
        var load = ordered.ToDictionary(d => d.Id, _ => 0);
        var groups = ImmutableArray.CreateBuilder<ImmutableArray<DiskId>>(groupCount);
        for (int index = 0; index < groupCount; index++)
        {
            DiskEntry[] members = Choose(ordered, load, code, spread, index);
            int first = index % code.N;
            groups.Add([.. members[first..].Concat(members[..first]).Select(d => d.Id)]);
        }

        return groups.MoveToImmutable();
    }

    /// <summary>More groups for a class that a disk was added to, so that it takes stripes: each holds the
    /// new disk, at another place each time, and the least loaded others that the spread allows. At most n at
    /// a time, which lets it hold every place once; and in all no more than <see cref="Plan"/> would make
    /// over these disks, so that a map stays bounded however it grew.</summary>
    /// <param name="disks">The disks that take shards, the new one among them.</param>
    /// <param name="groups">The groups that the class has.</param>
    /// <param name="code">The code of the class.</param>
    /// <param name="spread">The spread of the class.</param>
    /// <param name="added">The new disk.</param>
    /// <returns>Nothing where the disks cannot hold the code over the spread.</returns>
    public static ImmutableArray<ImmutableArray<DiskId>> Grow(
        IReadOnlyCollection<DiskEntry> disks,
        IReadOnlyCollection<PlacementGroup> groups,
        Code code,
        Spread spread,
        DiskId added)
    {
        if (Misfit(disks, code, spread) is not null || !disks.Any(d => d.Id == added))
        {
            return [];
        }

        var load = disks.ToDictionary(d => d.Id, d => groups.Count(g => g.Places.Any(p => p.Home == d.Id)));
        int wanted = code.N - load[added];
        int count = Math.Clamp(GroupCount(disks.Count, code) - groups.Count, 0, Math.Max(0, wanted));
        var grown = ImmutableArray.CreateBuilder<ImmutableArray<DiskId>>(count);
        for (int i = 0; i < count; i++)
        {
            // The new disk counts as the least loaded one, and stands at place i.
            load[added] = -1;
            DiskEntry[] members = Choose([.. disks.OrderBy(d => d.Id)], load, code, spread, groups.Count + i);
            int first = (Array.FindIndex(members, d => d.Id == added) - i + code.N) % code.N;
            grown.Add([.. members[first..].Concat(members[..first]).Select(d => d.Id)]);
        }

        return grown.MoveToImmutable();
    }

    /// <summary>Whether the disks can hold the code over the spread; null, or one sentence that says why not.
    /// </summary>
    public static string? Misfit(IReadOnlyCollection<DiskEntry> disks, Code code, Spread spread)
    {
        int cap = PerDomain(code, spread);
        int places = disks.GroupBy(d => DomainOf(d, spread)).Sum(domain => Math.Min(cap, domain.Count()));
        if (places >= code.N)
        {
            return null;
        }

        string suggestion = Suggest(disks, spread) is { } fits ? $": --code {fits} fits" : "";
        return spread == Spread.Disk
            ? $"{code} needs {code.N} disks, {disks.Count} given{suggestion}"
            : $"{code} over {spread.ToString().ToLowerInvariant()}s needs {code.N} places with at most {code.M} "
                + $"in each, and the fabric has {places}{suggestion}";
    }

    /// <summary>The failure domain of a disk at a spread. A silo without labels stands in domains of its own
    /// making: an empty label is one more label.</summary>
    public static string DomainOf(DiskEntry disk, Spread spread) => spread switch
    {
        Spread.Disk => disk.Id.ToString(),
        Spread.Silo => disk.Silo,
        Spread.Rack => $"{disk.Labels.Region}/{disk.Labels.Site}/{disk.Labels.Rack}",
        Spread.Site => $"{disk.Labels.Region}/{disk.Labels.Site}",
        Spread.Region => disk.Labels.Region,
        _ => throw new ArgumentOutOfRangeException(nameof(spread)),
    };

    /// <summary>How many places of a group one domain may hold.</summary>
    public static int PerDomain(Code code, Spread spread) => spread == Spread.Disk ? 1 : code.M;

    private static int GroupCount(int disks, Code code) =>
        disks == code.N ? code.N : Math.Max(code.N, disks * GroupsPerDisk);

    private static void DemandFit(IReadOnlyCollection<DiskEntry> disks, Code code, Spread spread)
    {
        if (Misfit(disks, code, spread) is { } misfit)
        {
            throw new ZeroStorException(ErrorKind.PolicyUnsatisfiable, misfit);
        }
    }

    private static Code? Suggest(IReadOnlyCollection<DiskEntry> disks, Spread spread)
    {
        foreach (Code code in CommonCodes)
        {
            int cap = PerDomain(code, spread);
            if (disks.GroupBy(d => DomainOf(d, spread)).Sum(g => Math.Min(cap, g.Count())) >= code.N)
            {
                return code;
            }
        }

        return null;
    }

    // The least loaded disks that the domains allow; among equals another one each time, by a hash of the
    // index.
    private static DiskEntry[] Choose(
        DiskEntry[] disks, Dictionary<DiskId, int> load, Code code, Spread spread, int index)
    {
        int cap = PerDomain(code, spread);
        var taken = new Dictionary<string, int>();
        var chosen = new List<DiskEntry>(code.N);
        foreach (DiskEntry disk in disks.OrderBy(d => load[d.Id]).ThenBy(d => Mix(d.Id.Value, (uint)index)))
        {
            string domain = DomainOf(disk, spread);
            int here = taken.GetValueOrDefault(domain);
            if (here < cap)
            {
                taken[domain] = here + 1;
                chosen.Add(disk);
                load[disk.Id]++;
                if (chosen.Count == code.N)
                {
                    break;
                }
            }
        }

        return [.. chosen.OrderBy(d => d.Id)];
    }

    // The finalizer of MurmurHash3 (Austin Appleby, public domain) over both numbers.
    private static uint Mix(uint disk, uint index)
    {
        uint h = disk + (index * 0x9e3779b9u);
        h = (h ^ (h >> 16)) * 0x85ebca6bu;
        h = (h ^ (h >> 13)) * 0xc2b2ae35u;
        return h ^ (h >> 16);
    }
}
