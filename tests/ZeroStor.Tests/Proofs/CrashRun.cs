using Microsoft.Extensions.Time.Testing;
using ZeroStor.Tests.Volumes;
using ZeroStor.Volumes;

namespace ZeroStor.Tests.Proofs;

/// <summary>What a disk is told to do in a crash proof.</summary>
internal enum DiskOrder
{
    /// <summary>Two shards of one content, in one batch.</summary>
    Append,

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
/// and generations follow from what was done before.</summary>
internal sealed class CrashRun : IAsyncDisposable
{
    internal const string Folder = "/device/disk";

    private static readonly FakeTimeProvider Time = new();
    private static readonly BufferPool Pool = new();
    private static readonly FabricId Fabric = new(77);
    private static readonly DiskId Id = new(7);

    private readonly Defect _planted;

    internal CrashRun(CrashStart start, Defect planted)
        : this(new RecordingFiles(start.Image) { Planted = planted }, start, planted)
    {
    }

    private CrashRun(RecordingFiles files, CrashStart start, Defect planted)
    {
        _planted = planted;
        Recorded = files;
        Debt = start.Debt;
        Made = start.Made;
        Recorded.Owe(Debt);
        Disk = Open(Recorded, planted);
    }

    /// <summary>Volumes of three or four batches: a few orders fill one and empty it.</summary>
    internal static DiskOptions Tiny { get; } = new()
    {
        VolumeBytes = 24 * 1024,
        GrowBytes = 8 * 1024,
        SealEarlyDeadBytes = 6 * 1024,
        CopyBytes = 2 * 1024,
        ReadsAtOnce = 1,
    };

    internal RecordingFiles Recorded { get; }

    internal Disk Disk { get; private set; }

    internal DiskDebt Debt { get; private set; }

    /// <summary>How many shards there ever were; the next is named by it.</summary>
    internal int Made { get; private set; }

    internal static DiskImage Formatted(IEntropy entropy)
    {
        var files = new RecordingFiles(DiskImage.Empty);
        DiskFolder.Format(files, Folder, Fabric, Id, entropy);
        return files.Now();
    }

    /// <param name="files">Where the disk is.</param>
    /// <param name="planted">In the disk, or in its generations.</param>
    /// <param name="life">Another life of the device has other generations.</param>
    internal static Disk Open(IDiskFiles files, Defect planted, int life = 1)
    {
        uint volumes = DiskFolder.ListVolumes(files, Folder).LastOrDefault();
        var entropy = new SeededEntropy(planted == Defect.SameGeneration ? 0 : (life * 1000) + (int)volumes);
        return Disk.Open(Folder, Tiny with { Planted = planted.InCore() }, entropy, Time, files, Pool);
    }

    internal Task DoAsync(DiskOrder order) => order switch
    {
        DiskOrder.Append => AppendAsync(Shard(700), Shard(300, kin: 1)),
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
        BufferSlice payload = Pool.RentSlice(shard.Payload.Length);
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
        using var goOn = new ManualResetEventSlim();
        ValueTask<HomeAnswer> held = Disk.DropAsync(
            [shards[0].Header.Name],
            () =>
            {
                goOn.Wait();
                return HomeAnswer.Done;
            },
            CancellationToken.None);
        Task<HomeAnswer>[] appends = [.. shards.Select(s => AppendAsync(Disk, s))];
        goOn.Set();
        Demand(await held);
        foreach (HomeAnswer answer in await Task.WhenAll(appends))
        {
            Demand(answer);
        }

        Owe(Debt.With(Fate.There, shards));
    }

    private async Task ReclaimAsync()
    {
        if (Debt.Of(Fate.There).Select(s => s.Header).MinBy(h => h.Ordinal) is not { } oldest)
        {
            return;
        }

        TestShard[] dead = [.. Debt.Of(Fate.There).Where(s => s.Header.Content == oldest.Content)];
        Owe(Debt.With(Fate.Either, dead));
        Demand(await Disk.ReclaimAsync([oldest.Content], CancellationToken.None));
        Owe(Debt.With(Fate.Gone, dead));
    }

    private async Task DropAsync()
    {
        if (Debt.Of(Fate.There).MaxBy(s => s.Header.Ordinal) is not { } newest)
        {
            return;
        }

        Owe(Debt.With(Fate.Either, newest));
        Demand(await Disk.DropAsync([newest.Header.Name], CancellationToken.None));
        Owe(Debt.With(Fate.Gone, newest));
    }

    private async Task SealAsync()
    {
        await AppendAsync(Shard((int)Tiny.VolumeBytes));
        await AppendAsync(Shard(500));
    }

    private async Task NoteTickAsync()
    {
        Tick next = new(Disk.HighestTick.Value + 1);
        Demand(await Disk.NoteTickAsync(next, CancellationToken.None));
        Owe(Debt with { Tick = next });
    }

    private async Task StopAsync()
    {
        await Disk.DisposeAsync();
        Disk = Open(Recorded, _planted);
    }

    private Task KillAsync()
    {
        Disk.Abandon();
        Disk = Open(Recorded, _planted);
        return Task.CompletedTask;
    }

    private void Owe(DiskDebt debt)
    {
        Debt = debt;
        Recorded.Owe(debt);
    }

    private static void Demand(HomeAnswer answer) => Assert.True(answer.IsDone, answer.Detail);
}
