using System.Buffers;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using CsCheck;
using Microsoft.Extensions.Time.Testing;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Tests.Client;

public sealed class VaultTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task What_was_put_is_read_whatever_the_code_the_size_and_how_the_stream_gives_it()
    {
        const int Stripe = 256 * 1024;
        await Gen.Select(
            Gen.OneOf(Gen.Const("1+1"), Gen.Const("2+1"), Gen.Const("3+2")),
            Gen.OneOf(
                Gen.Int[0, 3 * Stripe],
                Gen.Int[0, 6].Select(
                    Gen.Int[-1, 1], (stripes, more) => Math.Max(0, (stripes * Stripe) + more))),
            Gen.Int[1, Stripe]).SampleAsync(
            async (code, size, chunk) =>
            {
                var fake = new FakeFabric(code);
                Fabric fabric = fake.Connect();
                var vault = new Vault(fabric, FakeFabric.VaultName);
                byte[] content = Pattern(size);
                ObjectVersion put = await vault.PutAsync("k", new ChunkStream(content, chunk), null, None);
                Assert.Equal(size, put.Size);
                Assert.Equal(content, await ReadAsync(vault, "k"));
                Assert.Equal(Geometry.StripeCount(Code.Parse(code), size), fake.StripesWritten);
                Assert.Equal(0, fake.OpenSlots);
            },
            iter: 60);
    }

    [Fact]
    public async Task Bytes_at_hand_are_put_as_a_stream_is()
    {
        var fake = new FakeFabric();
        var vault = new Vault(fake.Connect(), FakeFabric.VaultName);
        byte[] content = Pattern(700_000);
        await vault.PutAsync("k", new ReadOnlySequence<byte>(content), null, None);
        Assert.Equal(content, await ReadAsync(vault, "k"));
    }

    [Fact]
    public async Task The_last_stripe_carries_the_manifest_to_come_without_its_stripes()
    {
        var fake = new FakeFabric();
        var vault = new Vault(fake.Connect(), FakeFabric.VaultName);
        ObjectVersion version = await vault.PutAsync(
            "k",
            new MemoryStream(Pattern(1_500_000)),
            new PutOptions
            {
                ContentType = "text/plain",
                Headers = ImmutableSortedDictionary<string, string>.Empty.Add("x-a", "1"),
            },
            None);
        (string key, _, Manifest draft) = Assert.Single(fake.Drafts);
        Assert.Equal(version.Key, key);
        Assert.Equal(version.Version, draft.Version);
        Assert.Equal(1_500_000, draft.Size);
        Assert.Equal("text/plain", draft.ContentType);
        Assert.Equal("1", draft.Headers["x-a"]);
        ContentRef content = Assert.Single(draft.Contents);
        Assert.Empty(content.Stripes);
        Manifest committed = Manifest.Decode(fake.Commits.Single().Manifest);
        Assert.Equal(content.Id, committed.Contents[0].Id);
        Assert.Equal(3, committed.Contents[0].Stripes.Length);
    }

    [Fact]
    public async Task Nothing_is_a_version_without_stripes()
    {
        var fake = new FakeFabric();
        var vault = new Vault(fake.Connect(), FakeFabric.VaultName);
        await vault.PutAsync("k", Stream.Null, null, None);
        Manifest manifest = Manifest.Decode(fake.Commits.Single().Manifest);
        ContentRef content = Assert.Single(manifest.Contents);
        Assert.Equal((0L, 0), (content.Bytes, content.Stripes.Length));
        Assert.Empty(manifest.Extents);
        Assert.Empty(await ReadAsync(vault, "k"));
    }

    [Fact]
    public async Task Up_to_256_stripes_travel_with_the_commit()
    {
        var fake = new FakeFabric("1+1");
        var vault = new Vault(fake.Connect(), FakeFabric.VaultName);
        byte[] content = Pattern(70 * 256 * 1024);
        await vault.PutAsync("k", new MemoryStream(content), null, None);
        Assert.Empty(fake.Opened);
        Assert.Equal(0, Assert.Single(fake.Commits.Single().Pages).Page);
        Assert.Equal(content, await ReadAsync(vault, "k"));
        Assert.Equal(1, fake.Count("read-page-0"));
    }

    [Fact]
    public async Task A_longer_put_opens_its_content_first_and_writes_pages_as_they_fill()
    {
        var fake = new FakeFabric("1+1") { IsForgetful = true };
        bool isWrittenUnopened = false;
        fake.After = (_, method) =>
        {
            isWrittenUnopened |= method == "write-stripe"
                && fake.StripesWritten > ContentPut.MaxUnopenedStripes
                && fake.Opened.Count == 0;
        };
        var vault = new Vault(fake.Connect(), FakeFabric.VaultName);
        int stripes = Geometry.StripesPerPage + 30;
        await vault.PutAsync("k", new EndlessStream((long)stripes * 256 * 1024), null, None);
        Assert.False(isWrittenUnopened);
        Assert.Equal(1, fake.Count("write-page"));
        Assert.Equal(1, Assert.Single(fake.Commits.Single().Pages).Page);
        Manifest manifest = Manifest.Decode(fake.Commits.Single().Manifest);
        Assert.Empty(manifest.Contents[0].Stripes);
        Assert.Equal(stripes, manifest.Contents[0].StripeCount);
    }

    [Fact]
    public Task A_put_that_takes_long_opens_its_content_and_touches_it() => PassingTime.InTurnsAsync(async () =>
    {
        var fake = new FakeFabric();
        var time = new FakeTimeProvider();
        var vault = new Vault(fake.Connect(time), FakeFabric.VaultName);
        var source = new SlowStream();
        Task<ObjectVersion> put = vault.PutAsync("k", source, null, None);
        await source.Asked;
        TimeSpan until = await time.AdvanceAsync(() => fake.Count("open-content") > 0);
        Assert.InRange(until, ContentPut.MaxUnopenedAge, TimeSpan.FromHours(1));
        await time.AdvanceAsync(() => fake.Count("open-content") > 1);
        source.End();
        await put;
    });

    [Theory]
    [InlineData(ErrorKind.Unavailable)]
    [InlineData(ErrorKind.DiskOffline)]
    [InlineData(ErrorKind.NotFound)]
    public async Task A_lost_coordinator_is_replaced_and_the_put_goes_on_with_the_same_content(ErrorKind kind)
    {
        var fake = new FakeFabric();
        string? lost = null;
        int calls = 0;
        fake.Before = (door, method, _) =>
        {
            if (method is not ("put-piece" or "write-stripe"))
            {
                return Task.CompletedTask;
            }

            if (Interlocked.Increment(ref calls) == 5)
            {
                lost = door;
            }

            return door == lost ? throw new ZeroStorException(kind, "gone") : Task.CompletedTask;
        };
        var vault = new Vault(fake.Connect(), FakeFabric.VaultName);
        byte[] content = Pattern(3_000_000);
        await vault.PutAsync("k", new MemoryStream(content), null, None);
        Assert.NotNull(lost);
        fake.Before = (_, _, _) => Task.CompletedTask;
        Assert.Equal(content, await ReadAsync(vault, "k"));
        Assert.Equal(2, fake.Count("open-put"));
        Assert.Equal(0, fake.OpenSlots);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_coordinator_that_hangs_is_given_up_once_it_left_the_route_or_restarted(
        bool isRestarted)
    {
        var fake = new FakeFabric();
        var time = new FakeTimeProvider();
        int writes = 0;
        fake.Before = async (door, method, cancel) =>
        {
            if (method == "write-stripe" && Interlocked.Increment(ref writes) == 1)
            {
                if (isRestarted)
                {
                    fake.RemoveSlots();
                    fake.Claim++;
                }
                else
                {
                    fake.Coordinators.TryRemove(door, out _);
                }

                await Task.Delay(Timeout.InfiniteTimeSpan, cancel);
            }
        };
        // Fake time runs ahead of the work it lets happen: no patience would be enough.
        var vault = new Vault(fake.Connect(time, o => o.Patience = TimeSpan.MaxValue), FakeFabric.VaultName);
        byte[] content = Pattern(100_000);
        Task<ObjectVersion> put = vault.PutAsync("k", new MemoryStream(content), null, None);
        await time.AdvanceAsync(() => put.IsCompleted);
        await put;

        // By now the one that left may be remembered as one that is there, and asked first.
        Task<byte[]> read = ReadAsync(vault, "k");
        await time.AdvanceAsync(() => read.IsCompleted);
        Assert.Equal(content, await read);
    }

    [Fact]
    public async Task Busy_is_waited_out()
    {
        var fake = new FakeFabric();
        int tries = 0;
        fake.Before = (_, method, _) => method == "open-put" && ++tries < 4
            ? throw new ZeroStorException(ErrorKind.Busy, "no slot")
            : Task.CompletedTask;
        var vault = new Vault(fake.Connect(), FakeFabric.VaultName);
        await vault.PutAsync("k", new MemoryStream(Pattern(10)), null, None);
        Assert.Equal(4, tries);
    }

    [Fact]
    public async Task Busy_beyond_the_patience_is_thrown()
    {
        var fake = new FakeFabric
        {
            Before = (_, method, _) => method == "open-put"
                ? throw new ZeroStorException(ErrorKind.Busy, "no slot")
                : Task.CompletedTask,
        };
        var vault = new Vault(
            fake.Connect(configure: o => o.Patience = TimeSpan.FromMilliseconds(100)), FakeFabric.VaultName);
        ZeroStorException failure = await Assert.ThrowsAsync<ZeroStorException>(
            () => vault.PutAsync("k", new MemoryStream(Pattern(10)), null, None));
        Assert.Equal(ErrorKind.Busy, failure.Kind);
    }

    [Fact]
    public async Task A_refused_stripe_ends_the_put_abandons_its_content_and_gives_everything_back()
    {
        var fake = new FakeFabric();
        int stripes = 0;
        fake.Before = (_, method, _) => method == "write-stripe" && Interlocked.Increment(ref stripes) == 3
            ? throw new ZeroStorException(ErrorKind.PolicyUnsatisfiable, "two homes")
            : Task.CompletedTask;
        Fabric fabric = fake.Connect();
        var source = new WatchedStream(Pattern(4_000_000));
        ZeroStorException failure = await Assert.ThrowsAsync<ZeroStorException>(
            () => new Vault(fabric, FakeFabric.VaultName).PutAsync("k", source, null, None));
        Assert.Equal(ErrorKind.PolicyUnsatisfiable, failure.Kind);
        Assert.Single(fake.Abandoned);
        Assert.Empty(fake.Keys);
        Assert.Equal(0, fake.OpenSlots);
        source.AssertAllCameBack(fabric.Buffers);
    }

    [Fact]
    public async Task A_cancelled_put_leaves_nothing_behind()
    {
        var fake = new FakeFabric();
        using var stop = new CancellationTokenSource();
        int stripes = 0;
        fake.Before = async (_, method, cancel) =>
        {
            if (method == "write-stripe" && Interlocked.Increment(ref stripes) >= 2)
            {
                await stop.CancelAsync();
                await Task.Delay(Timeout.InfiniteTimeSpan, cancel);
            }
        };
        Fabric fabric = fake.Connect();
        var source = new WatchedStream(Pattern(4_000_000));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => new Vault(fabric, FakeFabric.VaultName).PutAsync("k", source, null, stop.Token));
        Assert.Single(fake.Abandoned);
        Assert.Empty(fake.Keys);
        Assert.Equal(0, fake.OpenSlots);
        source.AssertAllCameBack(fabric.Buffers);
    }

    [Fact]
    public async Task Every_buffer_comes_back_after_retries_too()
    {
        var fake = new FakeFabric();
        int calls = 0;
        fake.Before = (_, method, _) =>
            method is "put-piece" or "write-stripe" && Interlocked.Increment(ref calls) % 5 == 0
                ? throw new ZeroStorException(ErrorKind.Busy, "full")
                : Task.CompletedTask;
        Fabric fabric = fake.Connect();
        byte[] content = Pattern(5_000_000);
        var source = new WatchedStream(content);
        var vault = new Vault(fabric, FakeFabric.VaultName);
        await vault.PutAsync("k", source, null, None);
        source.AssertAllCameBack(fabric.Buffers);
        fake.Before = (_, _, _) => Task.CompletedTask;
        Assert.Equal(content, await ReadAsync(vault, "k"));
    }

    [Fact]
    public async Task A_source_that_fails_throws_its_own_and_abandons_the_put()
    {
        var fake = new FakeFabric();
        var vault = new Vault(fake.Connect(), FakeFabric.VaultName);
        await Assert.ThrowsAsync<EndOfStreamException>(
            () => vault.PutAsync("k", new BrokenStream(1_000_000), null, None));
        Assert.Single(fake.Abandoned);
        Assert.Empty(fake.Keys);
    }

    [Fact]
    public async Task A_commit_whose_answer_was_lost_is_asked_again_and_makes_one_version()
    {
        var fake = new FakeFabric();
        int commits = 0;
        fake.After = (_, method) =>
        {
            if (method == "commit" && ++commits == 1)
            {
                throw new TimeoutException();
            }
        };
        var vault = new Vault(fake.Connect(), FakeFabric.VaultName);
        ObjectVersion version = await vault.PutAsync(
            "k",
            new MemoryStream(Pattern(10)),
            new PutOptions { If = new Precondition { IfNoneMatch = "*" } },
            None);
        Assert.Equal(2, fake.Commits.Count);
        Assert.Equal(fake.Commits[0].Content, fake.Commits[1].Content);
        Assert.Equal(version.Version, (await vault.HeadAsync("k", None)).Version);
        Assert.Empty(fake.Abandoned);
    }

    [Fact]
    public async Task A_condition_that_does_not_hold_is_not_asked_again()
    {
        var fake = new FakeFabric();
        var vault = new Vault(fake.Connect(), FakeFabric.VaultName);
        var options = new PutOptions { If = new Precondition { IfNoneMatch = "*" } };
        await vault.PutAsync("k", new MemoryStream(Pattern(10)), options, None);
        ZeroStorException failure = await Assert.ThrowsAsync<ZeroStorException>(
            () => vault.PutAsync("k", new MemoryStream(Pattern(10)), options, None));
        Assert.Equal(ErrorKind.PreconditionFailed, failure.Kind);
        Assert.Equal(2, fake.Commits.Count);
    }

    [Fact]
    public async Task The_front_ends_etag_is_asked_when_all_bytes_were_read()
    {
        var fake = new FakeFabric();
        var vault = new Vault(fake.Connect(), FakeFabric.VaultName);
        var content = new MemoryStream(Pattern(1_000_000));
        ObjectVersion version = await vault.PutAsync(
            "k", content, new PutOptions { ETag = () => $"at-{content.Position}" }, None);
        Assert.Equal("at-1000000", version.ETag);
    }

    [Fact]
    public async Task Progress_tells_durable_bytes_up_to_the_last()
    {
        var fake = new FakeFabric();
        var vault = new Vault(fake.Connect(), FakeFabric.VaultName);
        var told = new Told();
        await vault.PutAsync(
            "k", new MemoryStream(Pattern(1_300_000)), new PutOptions { Progress = told }, None);
        Assert.Equal(3, told.Values.Count);
        Assert.Equal(1_300_000, told.Values.Max());
    }

    [Fact]
    public async Task An_absent_vault_and_an_absent_key_are_not_found()
    {
        var fake = new FakeFabric();
        Fabric fabric = fake.Connect();
        foreach (string name in new[] { "nowhere", FakeFabric.VaultName })
        {
            var vault = new Vault(fabric, name);
            ZeroStorException failure = await Assert.ThrowsAsync<ZeroStorException>(
                () => vault.HeadAsync("k", None));
            Assert.Equal(ErrorKind.NotFound, failure.Kind);
            Assert.Contains(vault.Name, failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_stale_version_is_taken_only_by_who_allows_it_and_only_without_the_catalog()
    {
        var fake = new FakeFabric();
        Fabric fabric = fake.Connect(configure: o => o.Patience = TimeSpan.FromMilliseconds(50));
        var vault = new Vault(fabric, FakeFabric.VaultName);
        byte[] content = Pattern(1000);
        await vault.PutAsync("k", new MemoryStream(content), null, None);
        Assert.False((await vault.HeadAsync("k", allowStale: true, None)).IsStale);
        Assert.Empty(fake.AskedStale);
        fake.AwayAndForgotten = 0;
        ZeroStorException failure = await Assert.ThrowsAsync<ZeroStorException>(() => vault.HeadAsync("k", None));
        Assert.Equal(ErrorKind.Unavailable, failure.Kind);
        Assert.True((await vault.HeadAsync("k", allowStale: true, None)).IsStale);
        await using ObjectStream read = await vault.OpenReadAsync("k", new ReadOptions { AllowStale = true }, None);
        Assert.True(read.Version.IsStale);
        using var all = new MemoryStream();
        await read.CopyToAsync(all, None);
        Assert.Equal(content, all.ToArray());
        Assert.All(fake.AskedStale, grain => Assert.Equal(ObjectDoor.KeyOf(FakeFabric.VaultName, 4, "k"), grain));
    }

    [Fact]
    public async Task Who_does_not_know_the_vault_and_cannot_hear_of_it_asks_one_partition_after_the_other()
    {
        var fake = new FakeFabric();
        await new Vault(fake.Connect(), FakeFabric.VaultName).PutAsync("k", Stream.Null, null, None);
        fake.AwayAndForgotten = 2;
        fake.Before = (_, method, _) => method == "describe"
            ? throw new ZeroStorException(ErrorKind.Unavailable, "The catalog does not answer.")
            : Task.CompletedTask;
        var vault = new Vault(fake.Connect(), FakeFabric.VaultName);
        Assert.True((await vault.HeadAsync("k", allowStale: true, None)).IsStale);
        Assert.Equal(["vault/0", "vault/1", "vault/2"], fake.AskedStale.Select(k => k.Replace(FakeFabric.VaultName, "vault")));
        Assert.Equal(2, fake.Count("describe"));
    }

    [Fact]
    public async Task Listings_go_on_page_after_page_and_locating_too()
    {
        var fake = new FakeFabric("1+1");
        var vault = new Vault(fake.Connect(), FakeFabric.VaultName);
        for (int i = 0; i < 25; i++)
        {
            await vault.PutAsync($"k{i:d2}", Stream.Null, null, None);
        }

        ListPage page = await vault.ListPageAsync(new ListOptions { Prefix = "k" }, 10, None);
        Assert.Equal("k09", page.Next);
        var keys = new List<string>();
        await foreach (ListEntry entry in vault.ListAsync(new ListOptions { Prefix = "k1" }, None))
        {
            keys.Add(entry.Key);
        }

        Assert.Equal(Enumerable.Range(10, 10).Select(i => $"k{i}"), keys);
        await vault.PutAsync("long", new MemoryStream(Pattern(40 * 256 * 1024)), null, None);
        int shards = 0;
        await foreach (var shard in vault.LocateAsync("long", None))
        {
            Assert.Equal(shards++, shard.Stripe);
        }

        Assert.Equal(40, shards);
    }

    internal static byte[] Pattern(int bytes)
    {
        byte[] content = new byte[bytes];
        new Random(bytes).NextBytes(content);
        return content;
    }

    internal static async Task<byte[]> ReadAsync(Vault vault, string key, ByteRange? range = null)
    {
        await using ObjectStream stream = await vault.OpenReadAsync(
            key, new ReadOptions { Range = range }, None);
        using var target = new MemoryStream();
        await stream.CopyToAsync(target, None);
        return target.ToArray();
    }

    private sealed class Told : IProgress<long>
    {
        public List<long> Values { get; } = [];

        public void Report(long value)
        {
            lock (Values)
            {
                Values.Add(value);
            }
        }
    }

    private abstract class Source : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Flush() => throw new NotSupportedException();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }

    private sealed class ChunkStream(byte[] content, int chunk) : Source
    {
        private int _at;

        public override ValueTask<int> ReadAsync(
            Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int bytes = Math.Min(Math.Min(chunk, buffer.Length), content.Length - _at);
            content.AsSpan(_at, bytes).CopyTo(buffer.Span);
            _at += bytes;
            return ValueTask.FromResult(bytes);
        }
    }

    private sealed class EndlessStream(long bytes) : Source
    {
        private long _left = bytes;

        public override ValueTask<int> ReadAsync(
            Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int given = (int)Math.Min(buffer.Length, _left);
            _left -= given;
            return ValueTask.FromResult(given);
        }
    }

    private sealed class BrokenStream(int bytes) : Source
    {
        private int _left = bytes;

        public override ValueTask<int> ReadAsync(
            Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_left == 0)
            {
                throw new EndOfStreamException();
            }

            int given = Math.Min(buffer.Length, _left);
            _left -= given;
            return ValueTask.FromResult(given);
        }
    }

    private sealed class SlowStream : Source
    {
        private readonly TaskCompletionSource _asked = new();
        private readonly TaskCompletionSource<int> _end = new();

        public Task Asked => _asked.Task;

        public void End() => _end.SetResult(0);

        public override ValueTask<int> ReadAsync(
            Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _asked.TrySetResult();
            return new ValueTask<int>(_end.Task);
        }
    }

    // Remembers the buffers it was asked to fill: a pool that got them all back rents exactly them again.
    private sealed class WatchedStream(byte[] content) : Source
    {
        private readonly HashSet<(byte[] Array, int Offset)> _filled = [];
        private int _at;

        public override ValueTask<int> ReadAsync(
            Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Assert.True(
                MemoryMarshal.TryGetArray((ReadOnlyMemory<byte>)buffer, out ArraySegment<byte> segment));
            _filled.Add((segment.Array!, segment.Offset));
            int bytes = Math.Min(buffer.Length, content.Length - _at);
            content.AsSpan(_at, bytes).CopyTo(buffer.Span);
            _at += bytes;
            return ValueTask.FromResult(bytes);
        }

        public void AssertAllCameBack(BufferPool pool)
        {
            while (_filled.Count > 0)
            {
                MemoryMarshal.TryGetArray(
                    (ReadOnlyMemory<byte>)pool.Rent(Geometry.MaxPieceBytes).Memory,
                    out ArraySegment<byte> whole);

                // Where one was filled in parts, each part lies in it.
                int found = _filled.RemoveWhere(part => part.Array == whole.Array
                    && part.Offset >= whole.Offset && part.Offset < whole.Offset + whole.Count);
                Assert.True(found > 0, "a buffer did not come back to the pool");
            }
        }
    }
}
