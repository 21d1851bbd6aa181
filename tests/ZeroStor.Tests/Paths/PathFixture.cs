using System.Collections.Concurrent;
using System.Collections.Immutable;
using ZeroStor.Paths;
using ZeroStor.Placement;
using ZeroStor.Sealing;
using ZeroStor.Tests.Placement;

namespace ZeroStor.Tests.Paths;

/// <summary>A fabric in memory: a map, homes, a vault's keys, and both paths over them.</summary>
internal sealed class PathFixture : IFabricMap, IReadObserver, IDisposable
{
    private readonly VaultId _vault = new(7);
    private readonly VaultKeys _keys;
    private readonly ClassId _class;
    private int _decoded;

    public PathFixture(Code code, int disks, int seed = 42)
    {
        Code = code;
        Entropy = new SeededEntropy(seed);
        var map = new FabricMap(new FabricId(1), 1, GroupPlannerTests.Disks(disks, disks), [], []);
        Current = map.With(MapChanges.EnsureClass(map, code, Spread.Disk, out _class)!);
        Homes = new MemoryHomes(this);
        Health = new HomeHealth(TimeProvider.System);
        using PrivateKeys own = PrivateKeys.Generate(_vault, suite: null, Entropy);
        _keys = KeyRing.Create(own, Custody.Fabric, Tick, Entropy).Unlock(own);
    }

    public Code Code { get; }

    public PlantedDefects Planted { get; init; }

    public SeededEntropy Entropy { get; }

    public MemoryHomes Homes { get; }

    public HomeHealth Health { get; }

    public FabricMap Current { get; set; }

    public Tick Tick { get; set; } = new(5);

    public VaultId Vault => _vault;

    public VaultKeys Keys => _keys;

    public ClassId Class => _class;

    public int Decoded => Volatile.Read(ref _decoded);

    public ConcurrentBag<(int Place, DiskId Disk, ErrorKind What)> Faults { get; } = [];

    public Func<FabricMap>? Newer { get; set; }

    public ValueTask<FabricMap> RefreshAsync(long atLeastVersion, CancellationToken cancel)
    {
        Current = Newer?.Invoke() ?? Current;
        return ValueTask.FromResult(Current);
    }

    public WriteStripe Writer(double minHomeSeconds = 0.2, double patienceSeconds = 0.5) =>
        new(Homes, this, Health, Entropy, TimeProvider.System)
        {
            MinHomeTime = TimeSpan.FromSeconds(minHomeSeconds),
            PutPatience = TimeSpan.FromSeconds(patienceSeconds),
            Planted = Planted,
        };

    /// <summary>How long a read waits for a home before it asks another as well.</summary>
    public TimeSpan MinHedge { get; init; } = TimeSpan.FromMilliseconds(20);

    public ReadStripe Reader() => new(Homes, this, Health, TimeProvider.System, this)
    {
        HomeTimeout = TimeSpan.FromSeconds(1),
        MinHedge = MinHedge,
        Planted = Planted,
    };

    /// <summary>Repair that finds no stripe in flight, unless it is given a grace.</summary>
    public RepairGroup Repair(
        TimeProvider? time = null,
        TimeSpan grace = default,
        Throttle? throttle = null,
        IShardHome? homes = null) =>
        new(
            homes ?? Homes,
            this,
            this,
            throttle ?? new Throttle(TimeProvider.System),
            time ?? TimeProvider.System)
        {
            InFlightGrace = grace,
            Planted = Planted,
        };

    public byte[] Content(int bytes)
    {
        byte[] content = new byte[bytes];
        Entropy.Fill(content);
        return content;
    }

    public (StripeToWrite Stripe, byte[] Wrapped) Stripe(
        byte[] content, int floor = 0, ReadOnlyMemory<byte> manifest = default)
    {
        ContentId id = ContentId.New(Tick, Entropy);
        ContentKey key = _keys.NewContentKey(id, Entropy, out byte[] wrapped);
        var stripe = new StripeToWrite
        {
            Vault = _vault,
            Content = id,
            Key = key,
            Class = _class,
            Code = Code,
            WriteFloor = floor == 0 ? Code.DefaultWriteFloor : floor,
            Ordinal = 3,
            Parts = Pieces(content),
            SealedManifest = manifest,
        };
        return (stripe, wrapped);
    }

    public StripeToRead Read(StripeToWrite written, StripeRef stripe, int offset, int length) => new()
    {
        Vault = _vault,
        Content = written.Content,
        Key = written.Key,
        Code = Code,
        Ordinal = written.Ordinal,
        Stripe = stripe,
        Offset = offset,
        Length = length,
    };

    public Task<byte[]> ReadAsync(StripeToWrite written, StripeRef stripe, int offset, int length) =>
        ReadAsync(Read(written, stripe, offset, length));

    public async Task<byte[]> ReadAsync(StripeToRead read)
    {
        BufferSlice slice = await Reader().RunAsync(read, TestContext.Current.CancellationToken);
        byte[] bytes = slice.Span.ToArray();
        slice.Release();
        return bytes;
    }

    public DiskId Home(StripeRef stripe, int place) => Current.Group(stripe.Group)!.Places[place].Home;

    void IReadObserver.Decoded(StripeRef stripe) => Interlocked.Increment(ref _decoded);

    void IReadObserver.Found(StripeRef stripe, int place, DiskId disk, ErrorKind what) =>
        Faults.Add((place, disk, what));

    public void Dispose() => _keys.Dispose();

    private static ImmutableArray<ReadOnlyMemory<byte>> Pieces(byte[] content)
    {
        var pieces = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>();
        for (int at = 0; at < content.Length; at += Geometry.MaxPieceBytes)
        {
            pieces.Add(content.AsMemory(at, Math.Min(Geometry.MaxPieceBytes, content.Length - at)));
        }

        return pieces.ToImmutable();
    }
}
