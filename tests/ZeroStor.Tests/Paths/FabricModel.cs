using Microsoft.Extensions.Time.Testing;
using ZeroStor.Paths;
using ZeroStor.Placement;
using ZeroStor.Tests.Proofs;

namespace ZeroStor.Tests.Paths;

/// <summary>A small fabric that runs a seed: WriteStripe, ReadStripe and RepairGroup as they are, on real
/// disks over files in memory, under a map that changes and with coordinators that know an older one; homes
/// lose power in the middle of a write, are unplugged, lost, replaced, come back and lie. After every step
/// all that was acknowledged reads back; at the end, when all who can have come back, every place has its
/// shard. What happens next comes from the seed alone; only the order within one pass of repair does not, and
/// nothing here depends on it.</summary>
internal sealed partial class FabricModel : IAsyncDisposable
{
    private const int Steps = 50;
    private const int MaxStripes = 12;

    /// <summary>Longer than a home that failed is avoided: each step finds all homes worth a try.</summary>
    private static readonly TimeSpan StepTime = TimeSpan.FromSeconds(10);

    private static readonly Code Code = new(4, 2);

    private readonly Defect _planted;
    private readonly Random _random;
    private readonly FakeTimeProvider _time = new();
    private readonly PathFixture _fabric;
    private readonly ModelHomes _homes;
    private readonly LaggingMap _coordinator;
    private readonly HomeHealth _health;
    private readonly List<Standing> _stripes = [];
    private readonly List<ContentId> _dead = [];
    private readonly List<string> _story = [];

    private FabricModel(int seed, Defect planted)
    {
        _planted = planted;
        _random = new Random(seed);
        _fabric = new PathFixture(Code, disks: Code.N, seed);
        _homes = new ModelHomes(_fabric, seed, planted);
        _coordinator = new LaggingMap(_fabric);
        _health = new HomeHealth(_time);
        foreach (DiskEntry disk in _fabric.Current.Disks.OrderBy(d => d.Id))
        {
            _homes.Add(disk);
        }

        AddSpare();
        AddSpare();
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private FabricMap Map
    {
        get => _fabric.Current;
        set => _fabric.Current = value;
    }

    /// <summary>The proof.</summary>
    internal static async Task ProveAsync(int seed, Defect planted)
    {
        await using var model = new FabricModel(seed, planted);
        try
        {
            for (int step = 0; step < Steps; step++)
            {
                await model.StepAsync();
                await model.ReadAllAsync();
                model._time.Advance(StepTime);
            }

            await model.EndAsync();
        }
        catch (BrokenPromiseException broken)
        {
            throw new BrokenPromiseException(
                broken.Promise, $"{broken.How}; after {string.Join(", ", model._story)}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _homes.DisposeAsync();
        _fabric.Dispose();
    }

    private Task StepAsync() => _random.Next(20) switch
    {
        0 => CutPowerAsync(),
        1 => CutAllPowerAsync(),
        2 or 3 => PlugAsync(),
        4 => LieAsync(),
        5 or 6 => ReplaceAsync(),
        7 => ReturnHomeAsync(),
        8 or 9 or 10 => RepairAsync(),
        11 or 12 => DeleteAsync(),
        13 => WithMoreThanMAtFaultAsync(),
        _ => PutAsync(),
    };

    private async Task PutAsync()
    {
        ModelDisk? cut = ArmCut();
        bool knowsTheMap = _random.Next(2) == 0;
        if (knowsTheMap)
        {
            await _coordinator.RefreshAsync(0, Cancel);
        }

        byte[] content = _fabric.Content(1 + _random.Next(1 + _random.Next(150_000)));
        (StripeToWrite stripe, _) = _fabric.Stripe(content);
        var write = new WriteStripe(_homes, _coordinator, _health, _fabric.Entropy, _time)
        {
            PutPatience = TimeSpan.Zero,
            Planted = _planted.InCore(),
        };
        WrittenStripe? written = null;
        try
        {
            written = await write.RunAsync(stripe, Cancel);
        }
        catch (ZeroStorException refusal) when (refusal.Kind == ErrorKind.PolicyUnsatisfiable)
        {
            _dead.Add(stripe.Content);
        }

        Tell($"{(written is null ? "refused" : "put")} {written?.Stripe.Id} cutting {cut?.Address.Disk}");
        await EndCutAsync(cut);
        if (written is { } done)
        {
            var standing = new Standing(stripe, done.Stripe, content) { Short = done.Missing };
            await VerifySpreadAsync(standing);
            _stripes.Add(standing);
        }

        if (written is null || _stripes.Count > MaxStripes)
        {
            await DeleteAsync();
        }
    }

    private async Task DeleteAsync()
    {
        if (_stripes.Count > 0)
        {
            Standing standing = Any(_stripes);
            _stripes.Remove(standing);
            _dead.Add(standing.Written.Content);
            Tell($"delete {standing.Ref.Id}");
        }

        ModelDisk? cut = ArmCut();
        foreach (ModelDisk disk in _homes.All)
        {
            await _homes.ReclaimAsync(disk.Address, _dead, Cancel);
        }

        await EndCutAsync(cut);
    }

    private async Task CutPowerAsync()
    {
        ModelDisk disk = Any(There());
        Tell($"cut {disk.Address.Disk}");
        await _homes.CutPowerAsync(disk);
    }

    private async Task CutAllPowerAsync()
    {
        Tell("cut all");
        foreach (ModelDisk disk in There())
        {
            await _homes.CutPowerAsync(disk);
        }
    }

    private async Task PlugAsync()
    {
        ModelDisk[] unplugged = [.. _homes.All.Where(d => d.IsUnplugged && !d.IsLost)];
        if (unplugged.Length > 0 && (AtFault() >= Code.M || _random.Next(2) == 0))
        {
            await PlugInAsync(Any(unplugged));
        }
        else if (AtFault() < Code.M)
        {
            ModelDisk disk = Any(There());
            disk.IsUnplugged = true;
            Tell($"unplug {disk.Address.Disk}");
        }
    }

    // It is told of the dead before anybody asks it for the living.
    private async Task PlugInAsync(ModelDisk disk)
    {
        Tell($"plug in {disk.Address.Disk}");
        disk.IsUnplugged = false;
        Map = Map.With(MapChanges.Put(Map, Entry(disk) with { State = DiskState.Up }));
        await _homes.ReclaimAsync(disk.Address, _dead, Cancel);
    }

    private Task LieAsync()
    {
        ModelDisk disk = Any(There());
        if (disk.Conduct != Conduct.Honest)
        {
            disk.Conduct = Conduct.Honest;
        }
        else if (AtFault() < Code.M)
        {
            disk.Conduct = Any([Conduct.Lying, Conduct.Vouching, Conduct.Vouching, Conduct.Forging]);
        }

        Tell($"{disk.Address.Disk} is {disk.Conduct}");
        return Task.CompletedTask;
    }

    // A home that is gone, or only was gone for a while, or is drained: its places go to a disk without any.
    private async Task ReplaceAsync()
    {
        ModelDisk[] spares = [.. There().Where(d => !IsHome(d) && Entry(d).State == DiskState.Up)];
        ModelDisk old = Any(_homes.All.Where(IsHome));
        if (spares.Length == 0)
        {
            return;
        }

        DiskId spare = Any(spares).Address.Disk;
        int isNew = old.IsThere && old.Conduct == Conduct.Honest ? 1 : 0;
        int lacking = AtFault() + _stripes.Select(s => s.Short).DefaultIfEmpty().Max();
        bool isLost = !old.IsLost && lacking + isNew <= Code.M && _random.Next(2) == 0;
        Tell($"replace {old.Address.Disk} by {spare}{(isLost ? ", which is lost" : "")}");
        if (isLost)
        {
            _homes.Lose(old);
            AddSpare();
        }

        Map = Map.With(MapChanges.Replace(Map, old.Address.Disk, spare));
        if (old.IsThere)
        {
            await PlugInAsync(old);
        }
    }

    private Task ReturnHomeAsync()
    {
        foreach (ModelDisk disk in There())
        {
            if (MapChanges.ReturnHome(Map, disk.Address.Disk) is { } change)
            {
                Tell($"{disk.Address.Disk} returns home");
                Map = Map.With(change);
            }
        }

        return Task.CompletedTask;
    }

    // As the scheduler does it: a pass over each group, and what a pass leaves nothing of is whole.
    private async Task<long> RepairAsync()
    {
        long left = 0;
        var repair = new RepairGroup(_homes, _fabric, _fabric, new Throttle(_time), _time)
        {
            InFlightGrace = TimeSpan.Zero,
            Planted = _planted.InCore(),
        };
        foreach (GroupId id in Map.Groups.Select(g => g.Id).Order().ToArray())
        {
            RepairTally tally = await repair.RunAsync(id, Cancel);
            int[] whole =
            [
                .. Enumerable.Range(0, Code.N).Where(
                    p => !tally.IsLeft(p) && Map.Disk(Map.Group(id)!.Places[p].Home)!.State == DiskState.Up),
            ];
            if (MapChanges.MarkWhole(Map, id, whole) is { } change)
            {
                Map = Map.With(change);
                await VerifyWholeAsync(id, whole);
            }

            await VerifyRepairedAsync(id);
            left += tally.ShardsLeft;
        }

        Tell($"repair leaves {left}");
        return left;
    }

    private async Task WithMoreThanMAtFaultAsync()
    {
        ModelDisk[] more = [.. There().Where(d => IsNamed(d) && d.Conduct == Conduct.Honest)];
        _random.Shuffle(more);
        more = more[..Math.Min(more.Length, Code.M + 1 - AtFault())];
        Conduct conduct = Any([Conduct.Offline, Conduct.Lying, Conduct.Vouching, Conduct.Forging]);
        foreach (ModelDisk disk in more)
        {
            disk.Conduct = conduct;
            disk.IsUnplugged = conduct == Conduct.Offline;
        }

        Tell($"for a moment {string.Join(" and ", more.Select(d => d.Address.Disk))} are {conduct}");
        await ReadAllAsync();
        foreach (ModelDisk disk in more)
        {
            disk.Conduct = Conduct.Honest;
            disk.IsUnplugged = false;
        }
    }

    // Somewhere in the next step's calls to one disk the power goes.
    private ModelDisk? ArmCut()
    {
        if (_random.Next(3) > 0)
        {
            return null;
        }

        ModelDisk disk = Any(There());
        disk.Files.ChangesLeft = _random.Next(3);
        return disk;
    }

    private async Task EndCutAsync(ModelDisk? cut)
    {
        if (cut is not null)
        {
            await _homes.CutPowerAsync(cut);
            await _homes.ReclaimAsync(cut.Address, _dead, Cancel);
        }
    }

    private void AddSpare()
    {
        var labels = new Labels("eu", "site0", "rack0");
        Map = Map.With(MapChanges.AddDisk(Map, "silo0", labels, "/spare", isManaged: true, out DiskId id));
        Map = Map.With(MapChanges.Claim(Map, Map.Disk(id)!, granted: 1));
        _homes.Add(Map.Disk(id)!);
    }

    private DiskEntry Entry(ModelDisk disk) => Map.Disk(disk.Address.Disk)!;

    private ModelDisk[] There() => [.. _homes.All.Where(d => d.IsThere)];

    private bool IsHome(ModelDisk disk) =>
        Map.Groups.Any(g => g.Places.Any(p => p.Home == disk.Address.Disk));

    private bool IsNamed(ModelDisk disk) => IsHome(disk)
        || Map.Groups.Any(g => g.Places.Any(p => p.FormerHomes.Contains(disk.Address.Disk)));

    /// <summary>Disks that hold, or should hold, shards and do not give them.</summary>
    private int AtFault() => _homes.All.Count(d => IsNamed(d) && (!d.IsThere || d.Conduct != Conduct.Honest));

    private T Any<T>(IEnumerable<T> some)
    {
        T[] all = [.. some];
        return all[_random.Next(all.Length)];
    }

    private void Tell(string what) => _story.Add(what);

    /// <summary>A stripe that was acknowledged.</summary>
    private sealed record Standing(StripeToWrite Written, StripeRef Ref, byte[] Content)
    {
        /// <summary>Shards that no home took, until a repair has brought them.</summary>
        public int Short { get; set; }
    }

    /// <summary>The map of a coordinator that hears of changes when a home refuses it.</summary>
    private sealed class LaggingMap(PathFixture fabric) : IFabricMap
    {
        public FabricMap Current { get; private set; } = fabric.Current;

        public Tick Tick => fabric.Tick;

        public ValueTask<FabricMap> RefreshAsync(long atLeastVersion, CancellationToken cancel)
        {
            Current = fabric.Current;
            return ValueTask.FromResult(Current);
        }
    }
}
