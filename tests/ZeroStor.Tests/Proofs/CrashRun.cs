using Microsoft.Extensions.Time.Testing;
using ZeroStor.Tests.Volumes;
using ZeroStor.Volumes;

namespace ZeroStor.Tests.Proofs;

/// <summary>What a disk is told to do in a crash proof.</summary>
internal enum DiskOrder
{
    /// <summary>Two shards of one content, in one batch.</summary>
    Append,

    /// <summary>Two shards, of which the second is laid while the first is synced.</summary>
    Overlap,

    /// <summary>As there, and the second is written while the first is synced.</summary>
    Ahead,

    /// <summary>The oldest content that is there.</summary>
    Reclaim,

    /// <summary>The newest shard that is there.</summary>
    Drop,

    /// <summary>A shard that fills the volume, and one for which the next is made.</summary>
    Seal,

    Compact,

    /// <summary>The superblock is written: a tick is noted.</summary>
    Checkpoint,

    /// <summary>A shard larger than what the volume has grown ahead.</summary>
    Grow,

    /// <summary>Closed in order and opened.</summary>
    Stop,

    /// <summary>Ended as by kill -9, and opened.</summary>
    Kill,
}

/// <summary>A disk on files that record, driven one order at a time. Equal orders, equal bytes: ids, payloads
/// and generations follow from what was done before. What a disk refuses is owed either way.</summary>
internal sealed class CrashRun : IAsyncDisposable
{
    internal const string Folder = "/device/disk";

    private static readonly FakeTimeProvider Time = new();
    private static readonly BufferPool Pool = new();
    private static readonly FabricId Fabric = new(77);
    private static readonly DiskId Id = new(7);

    private readonly Defect _planted;

    private readonly IDiskFiles _files;

    /// <param name="start">Where it goes on.</param>
    /// <param name="planted">What is wrong with the disk, or with its files.</param>
    /// <param name="between">What stands between the disk and the files that record; null: nothing.</param>
    internal CrashRun(CrashStart start, Defect planted, Func<IDiskFiles, IDiskFiles>? between = null)
    {
        _planted = planted;
        Debt = start.Debt;
        Made = start.Made;
        Recorded = new RecordingFiles(start.Image) { Planted = planted };
        Recorded.Owe(Debt);
        _files = between?.Invoke(Recorded) ?? Recorded;
        Disk = Open(_files, planted);
    }

    /// <summary>Volumes of three or four batches: a few orders fill one and empty it.</summary>
    internal static DiskOptions Tiny { get; } = new()
    {
        VolumeBytes = 24 * 1024,
        GrowBytes = 8 * 1024,
        LargeBatchBytes = 4 * 1024,
        SealEarlyDeadBytes = 6 * 1024,
        CopyBytes = 2 * 1024,
        LayAheadBytes = 1,
        AnswerAsideCount = 1,
        InPlaceBytes = 1000,
        ReadsAtOnce = 1,
    };

    internal RecordingFiles Recorded { get; }

    internal Disk Disk { get; private set; }

    internal DiskDebt Debt { get; private set; }

    /// <summary>The answers that were not done.</summary>
    internal List<HomeAnswer> Refusals { get; } = [];

    /// <summary>How many shards there ever were; the next is named by it.</summary>
    internal int Made { get; private set; }

    internal static DiskImage Formatted(IEntropy entropy)
    {
        var files = new RecordingFiles(DiskImage.Empty);
        DiskFolder.Format(files, Folder, Fabric, Id, entropy);
        return files.Now();
    }

    internal static Disk Open(IDiskFiles files, Defect planted) =>
        Open(files, planted, GenerationsOf(files, planted));

    internal static Disk Open(IDiskFiles files, Defect planted, IEntropy generations) =>
        Disk.Open(Folder, Tiny with { Planted = planted.InCore() }, generations, Time, files, Pool);

    /// <param name="files">Where the disk is: what it makes next depends on what it made.</param>
    /// <param name="planted">Whether lives are told from one another.</param>
    /// <param name="life">Which life of the device this is.</param>
    internal static IEntropy GenerationsOf(IDiskFiles files, Defect planted, int life = 1)
    {
        uint volumes = DiskFolder.ListVolumes(files, Folder).LastOrDefault();
        return new SeededEntropy(planted == Defect.SameGeneration ? 0 : (life * 1000) + (int)volumes);
    }

    internal Task DoAsync(DiskOrder order) => order switch
    {
        DiskOrder.Append => AppendAsync(Shard(700), Shard(300, kin: 1)),
        DiskOrder.Overlap => OverlapAsync(isAhead: false),
        DiskOrder.Ahead => OverlapAsync(isAhead: true),
        DiskOrder.Reclaim => ReclaimAsync(),
        DiskOrder.Drop => DropAsync(),
        DiskOrder.Seal => SealAsync(),
        DiskOrder.Compact => Disk.CompactAsync(CancellationToken.None).AsTask(),
        DiskOrder.Checkpoint => NoteTickAsync(),
        DiskOrder.Grow => AppendAsync(Shard(Tiny.GrowBytes + 100)),
        DiskOrder.Stop => StopAsync(),
        DiskOrder.Kill => KillAsync(),
        _ => throw new ArgumentOutOfRangeException(nameof(order)),
    };

    internal static async Task<HomeAnswer> AppendAsync(Disk disk, TestShard shard)
    {
        BufferSlice payload = Pool.RentAnywhere(shard.Payload.Length);
        shard.Payload.CopyTo(payload.Span);
        try
        {
            return await disk.AppendAsync(shard.Header, [], payload, CancellationToken.None);
        }
        finally
        {
            payload.Release();
        }
    }

    /// <summary>The shard of this number, with bytes of its own.</summary>
    internal static TestShard ShardOf(int number, int bytes, int content)
    {
        var entropy = new SeededEntropy(number);
        byte[] payload = new byte[bytes];
        entropy.Fill(payload);
        var tick = new Tick(10);
        return new TestShard(
            new ShardHeader
            {
                Stripe = StripeId.New(tick, entropy),
                Content = ContentId.New(tick, new SeededEntropy(content)),
                Vault = new VaultId(5),
                Seal = SealId.New(entropy),
                Group = new GroupId(3),
                Place = (byte)(number % 6),
                Code = new Code(4, 2),
                Ordinal = (uint)number,
                ContentBytes = bytes * 4,
                SealedBytes = bytes * 4,
                ShardBytes = bytes,
                Tick = tick,
                ShardSum = Sum128.Of(payload),
                SumsDigest = Sum128.Of(payload.AsSpan(bytes / 2)),
            },
            payload);
    }

    public async ValueTask DisposeAsync() => await Disk.DisposeAsync();

    /// <param name="bytes">Of the payload.</param>
    /// <param name="kin">How many shards back that one was made whose content this belongs to.</param>
    private TestShard Shard(int bytes, int kin = 0)
    {
        int number = ++Made;
        return ShardOf(number, bytes, number - kin);
    }

    // The writer waits in the refusing of a drop until all stand in its queue, so they are one batch.
    private async Task AppendAsync(params TestShard[] shards)
    {
        Owe(Debt.With(Fate.Either, shards));
        using var held = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        ValueTask<HomeAnswer> drop = Disk.DropAsync(
            [shards[0].Header.Name],
            () =>
            {
                held.Set();
                goOn.Wait();
                return HomeAnswer.Done;
            },
            CancellationToken.None);
        if (Disk.State == DiskState.Up)
        {
            held.Wait();
        }

        Task<HomeAnswer>[] appends = [.. shards.Select(s => AppendAsync(Disk, s))];
        goOn.Set();
        await drop;
        foreach ((TestShard shard, HomeAnswer answer) in shards.Zip(await Task.WhenAll(appends)))
        {
            Settle(answer, Debt.With(Fate.There, shard));
        }
    }

    // The first is shorter than a block; the second so long that laying it asks for room, which shows that it
    // is being laid.
    private async Task OverlapAsync(bool isAhead)
    {
        TestShard[] shards = [Shard(500), Shard(Tiny.GrowBytes + 100)];
        Owe(Debt.With(Fate.Either, shards));
        var overlap = new Overlap(Tiny.VolumeBytes, isAhead);
        Recorded.Watch = overlap;
        Task<HomeAnswer> first = AppendAsync(Disk, shards[0]);
        await Task.WhenAny(first, overlap.Reached);
        Task<HomeAnswer> second = AppendAsync(Disk, shards[1]);
        await Task.WhenAny(first, second, overlap.Laid);
        overlap.GoOn();
        Settle(await first, Debt.With(Fate.There, shards[0]));
        overlap.Answered();
        Settle(await second, Debt.With(Fate.There, shards[1]));
        Recorded.Watch = null;
    }

    private async Task ReclaimAsync()
    {
        if (Debt.Of(Fate.There).Select(s => s.Header).MinBy(h => h.Ordinal) is not { } oldest)
        {
            return;
        }

        TestShard[] dead = [.. Debt.Of(Fate.There).Where(s => s.Header.Content == oldest.Content)];
        Owe(Debt.With(Fate.Either, dead));
        HomeAnswer answer = await Disk.ReclaimAsync([oldest.Content], CancellationToken.None);
        Settle(answer, Debt.With(Fate.Gone, dead));
    }

    private async Task DropAsync()
    {
        if (Debt.Of(Fate.There).MaxBy(s => s.Header.Ordinal) is not { } newest)
        {
            return;
        }

        Owe(Debt.With(Fate.Either, newest));
        HomeAnswer answer = await Disk.DropAsync([newest.Header.Name], CancellationToken.None);
        Settle(answer, Debt.With(Fate.Gone, newest));
    }

    private async Task SealAsync()
    {
        await AppendAsync(Shard((int)Tiny.VolumeBytes));
        await AppendAsync(Shard(500));
    }

    private async Task NoteTickAsync()
    {
        Tick next = new(Disk.HighestTick.Value + 1);
        Settle(await Disk.NoteTickAsync(next, CancellationToken.None), Debt with { Tick = next });
    }

    private async Task StopAsync()
    {
        await Disk.DisposeAsync();
        Disk = Open(_files, _planted);
    }

    private Task KillAsync()
    {
        Disk.Abandon();
        Disk = Open(_files, _planted);
        return Task.CompletedTask;
    }

    private void Owe(DiskDebt debt)
    {
        Debt = debt;
        Recorded.Owe(debt);
    }

    private void Settle(HomeAnswer answer, DiskDebt ifDone)
    {
        if (answer.IsDone)
        {
            Owe(ifDone);
        }
        else
        {
            Refusals.Add(answer);
        }
    }
}
