using System.Collections.Immutable;
using Microsoft.Extensions.Time.Testing;
using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

/// <summary>A disk in a folder of its own, with what tests need around it: shards with bytes that tell their
/// name, faults before the files, a clock that stands still, and a pool whose buffers are counted.</summary>
internal sealed class DiskBed : IAsyncDisposable
{
    internal static readonly FabricId Fabric = new(77);
    internal static readonly DiskId Id = new(7);
    internal static readonly GroupId Group = new(3);
    internal static readonly VaultId Vault = new(5);
    internal static readonly Code Code = new(4, 2);

    private readonly string _root;
    private readonly MemoryFiles? _memory;
    private readonly bool _isBuffered;

    /// <param name="memory">Where the disk's files are; null: real ones.</param>
    /// <param name="isBuffered">Whether real ones are as on a file system without direct writing.</param>
    internal DiskBed(
        DiskOptions? options = null, int seed = 1, MemoryFiles? memory = null, bool isBuffered = false)
    {
        _isBuffered = isBuffered;
        Options = options ?? Small;
        Entropy = new SeededEntropy(seed);
        _memory = memory;
        _root = memory is null ? Directory.CreateTempSubdirectory("zs-disk-").FullName : "/memory";
        Files = new FaultyFiles(Storage);
        Folder = Path.Combine(_root, "disk");
        DiskFolder.Format(Storage, Folder, Fabric, Id, Entropy);
        Disk = Open();
    }

    /// <summary>Small enough that a test fills volumes in milliseconds.</summary>
    internal static DiskOptions Small { get; } = new()
    {
        VolumeBytes = 256 * 1024,
        GrowBytes = 64 * 1024,
        SealEarlyDeadBytes = 64 * 1024,
        CopyBytes = 32 * 1024,
    };

    internal DiskOptions Options { get; set; }

    internal SeededEntropy Entropy { get; }

    internal FakeTimeProvider Time { get; } = new();

    internal FaultyFiles Files { get; }

    internal BufferPool Pool { get; } = new();

    internal string Folder { get; set; }

    internal bool LeavesDamage { get; set; }

    internal Disk Disk { get; private set; }

    internal static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>The files, without what a test puts before them.</summary>
    internal IDiskFiles Storage => _memory ?? (_isBuffered ? OsFile.BufferedFiles : OsFile.Files);

    internal Disk Open() => Disk.Open(Folder, Options, Entropy, Time, Files, Pool);

    /// <summary>Closes in order and opens again.</summary>
    internal async Task ReopenAsync()
    {
        await Disk.DisposeAsync();
        Disk = Open();
    }

    /// <summary>Ends like kill -9 and opens again.</summary>
    internal void Crash(Action? betweenLives = null)
    {
        Disk.Abandon();
        betweenLives?.Invoke();
        Disk = Open();
    }

    /// <summary>Loses what was not synced, and opens again.</summary>
    internal void CutPower() => Crash(() =>
    {
        _memory!.CutPower();
        Files.ChangesLeft = int.MaxValue;
    });

    internal TestShard NewShard(int bytes = 1000, byte place = 0, ContentId? content = null, uint tick = 10)
    {
        byte[] payload = new byte[bytes];
        Entropy.Fill(payload);
        return new TestShard(
            new ShardHeader
            {
                Stripe = StripeId.New(new Tick(tick), Entropy),
                Content = content ?? ContentId.New(new Tick(tick), Entropy),
                Vault = Vault,
                Seal = SealId.New(Entropy),
                Group = Group,
                Place = place,
                Code = Code,
                Ordinal = 1,
                ContentBytes = bytes * Code.K,
                SealedBytes = bytes * Code.K,
                ShardBytes = bytes,
                Tick = new Tick(tick),
                ShardSum = Sum128.Of(payload),
                SumsDigest = Sum128.Of(Id128.ToBytes((UInt128)tick)),
            },
            payload);
    }

    internal async Task<HomeAnswer> AppendAsync(TestShard shard, CancellationToken? cancel = null)
    {
        BufferSlice payload = Pool.RentAnywhere(shard.Payload.Length);
        shard.Payload.CopyTo(payload.Span);
        try
        {
            return await Disk.AppendAsync(shard.Header, shard.Extensions, payload, cancel ?? Cancel);
        }
        finally
        {
            payload.Release();
        }
    }

    internal async Task<TestShard> PutAsync(TestShard shard)
    {
        HomeAnswer answer = await AppendAsync(shard);
        Assert.True(answer.IsDone, answer.Detail);
        return shard;
    }

    internal async Task<TestShard> PutNewAsync(int bytes = 1000, ContentId? content = null, uint tick = 10) =>
        await PutAsync(NewShard(bytes, content: content, tick: tick));

    /// <summary>Puts all in one batch, and before it a small one, which is returned.</summary>
    internal async Task<TestShard> PutAsOneBatchAsync(params TestShard[] shards)
    {
        TestShard plug = NewShard(10);
        await AsOneBatchAsync(AppendOf(plug), [.. shards.Select(AppendOf)]);
        return plug;
    }

    internal Task AsOneBatchAsync(params Func<Task<HomeAnswer>>[] orders) =>
        AsOneBatchAsync(AppendOf(NewShard(10)), orders);

    internal async Task AsOneBatchAsync(Func<Task<HomeAnswer>> plug, Func<Task<HomeAnswer>>[] orders) =>
        Assert.All(await GiveAsOneBatchAsync(plug, orders), a => Assert.True(a.IsDone, a.Detail));

    /// <summary>Gives all orders to the writer at once: they wait behind an append whose sync is held up. The
    /// first answer is that one's.</summary>
    internal async Task<HomeAnswer[]> GiveAsOneBatchAsync(
        Func<Task<HomeAnswer>> plug, Func<Task<HomeAnswer>>[] orders)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var goOn = new ManualResetEventSlim();
        Func<FileCall, string, int> before = Files.Before;
        Files.Before = (call, path) =>
        {
            int errno = before(call, path);
            if (errno == 0 && call == FileCall.Sync && path.EndsWith(".vol", StringComparison.Ordinal))
            {
                reached.TrySetResult();
                goOn.Wait(Cancel);
            }

            return errno;
        };
        Task<HomeAnswer> first = plug();
        await Task.WhenAny(first, reached.Task);
        Task<HomeAnswer>[] others = [.. orders.Select(o => o())];
        Files.Before = before;
        goOn.Set();
        return await Task.WhenAll([first, .. others]);
    }

    internal Func<Task<HomeAnswer>> AppendOf(TestShard shard) => () => AppendAsync(shard);

    internal async Task DropAsync(params TestShard[] shards)
    {
        HomeAnswer answer = await Disk.DropAsync([.. shards.Select(s => s.Header.Name)], Cancel);
        Assert.True(answer.IsDone, answer.Detail);
    }

    internal async Task<ShardReadAnswer> ReadAsync(TestShard shard, int offset = 0, int? length = null) =>
        await Disk.ReadAsync(
            shard.Header.Stripe, shard.Header.Place, offset, length ?? shard.Payload.Length, true, Cancel);

    /// <summary>The shard is there, whole, with its extensions.</summary>
    internal async Task AssertHoldsAsync(TestShard shard)
    {
        ShardReadAnswer answer = await ReadAsync(shard);
        Assert.True(answer.IsDone, answer.Detail);
        Assert.Equal(shard.Header, answer.Header);
        Assert.Equal(shard.Payload, answer.Payload.Span.ToArray());
        Assert.Equal(shard.Extensions.Length, answer.Extensions.Length);
        for (int i = 0; i < shard.Extensions.Length; i++)
        {
            Assert.Equal(shard.Extensions[i].Type, answer.Extensions[i].Type);
            Assert.Equal(shard.Extensions[i].Value.ToArray(), answer.Extensions[i].Value.ToArray());
        }

        answer.Payload.Release();
    }

    internal async Task AssertHoldsAsync(IEnumerable<TestShard> shards)
    {
        foreach (TestShard shard in shards)
        {
            await AssertHoldsAsync(shard);
        }
    }

    internal async Task AssertLacksAsync(TestShard shard) =>
        Assert.Equal(ErrorKind.NotFound, (await ReadAsync(shard)).Kind);

    internal string[] VolumeFiles() =>
        [.. Directory.GetFiles(Path.Combine(Folder, "volumes")).Order(StringComparer.Ordinal)];

    /// <summary>Copies the disk's folder, as cp -a would.</summary>
    internal string Clone()
    {
        string copy = Path.Combine(_root, "copy" + Directory.GetDirectories(_root).Length);
        foreach (string folder in (string[])["", "volumes"])
        {
            Directory.CreateDirectory(Path.Combine(copy, folder));
            foreach (string file in Directory.GetFiles(Path.Combine(Folder, folder)))
            {
                System.IO.File.Copy(file, Path.Combine(copy, folder, Path.GetFileName(file)));
            }
        }

        return copy;
    }

    /// <summary>Closes the disk and verifies every byte of it; every test ends here, unless it left damage
    /// behind. </summary>
    public async ValueTask DisposeAsync()
    {
        await Disk.DisposeAsync();
        if (!LeavesDamage)
        {
            using DiskCheck check = DiskCheck.Open(Storage, Folder);
            check.Run(f => Assert.False(f.IsDamage, f.ToString()), CancellationToken.None);
        }

        if (_memory is null)
        {
            Directory.Delete(_root, recursive: true);
        }
    }
}

internal sealed record TestShard(ShardHeader Header, byte[] Payload)
{
    internal ImmutableArray<RecordExtension> Extensions { get; init; } = [];
}
