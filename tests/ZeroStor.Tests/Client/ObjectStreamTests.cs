using CsCheck;
using Microsoft.Extensions.Time.Testing;
using ZeroStor.Client;

namespace ZeroStor.Tests.Client;

public sealed class ObjectStreamTests
{
    private const int Stripe = 512 * 1024;

    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Any_range_read_in_any_steps_is_that_slice()
    {
        byte[] content = VaultTests.Pattern((3 * Stripe) + 777);
        (_, Vault vault) = await PutAsync(content);
        Gen<(int, int, int)> reads = Gen.Select(
            Gen.Int[0, content.Length - 1], Gen.Int[1, content.Length], Gen.Int[1, Stripe]);
        await reads.SampleAsync(
            async (offset, length, step) =>
            {
                await using ObjectStream stream = await vault.OpenReadAsync(
                    "k", new ReadOptions { Range = ByteRange.OfLength(offset, length) }, None);
                byte[] expected = content[offset..Math.Min(content.Length, offset + length)];
                Assert.Equal((offset, expected.Length), (stream.Offset, stream.Length));
                byte[] got = new byte[expected.Length + 1];
                int at = 0;
                int read;
                do
                {
                    read = await stream.ReadAsync(got.AsMemory(at, Math.Min(step, got.Length - at)), None);
                    at += read;
                }
                while (read > 0);

                Assert.Equal(expected.Length, at);
                Assert.Equal(at, stream.Position);
                Assert.True(expected.AsSpan().SequenceEqual(got.AsSpan(0, at)));
            },
            iter: 80);
    }

    [Fact]
    public async Task A_range_touches_only_its_stripes_and_pages()
    {
        byte[] content = VaultTests.Pattern(300 * 256 * 1024);
        (FakeFabric fake, Vault vault) = await PutAsync(content, "1+1");
        fake.Calls.Clear();
        int from = 70 * 256 * 1024;
        byte[] got = await VaultTests.ReadAsync(vault, "k", ByteRange.OfLength(from - 1, 2));
        Assert.Equal(content[(from - 1)..(from + 1)], got);
        Assert.Equal(2, fake.Count("read-stripe"));
        Assert.Equal(1, fake.Count("read-page-0"));
    }

    [Fact]
    public async Task It_reads_ahead_no_further_than_four_stripes_and_begins_with_one()
    {
        (FakeFabric fake, Vault vault) = await PutAsync(VaultTests.Pattern(12 * Stripe));
        await using ObjectStream stream = await vault.OpenReadAsync("k", null, None);
        var asked = new List<int>();
        for (int read = 0; read < 12; read++)
        {
            byte[] one = new byte[Stripe];
            await stream.ReadExactlyAsync(one, None);
            asked.Add(fake.Count("read-stripe") - read);
        }

        // Of the stripes asked for, those that were not read yet, and the one just read.
        Assert.Equal(1, asked[0]);
        Assert.Equal(4, asked.Max());
    }

    [Fact]
    public async Task A_failure_that_passes_is_tried_at_another_coordinator()
    {
        byte[] content = VaultTests.Pattern(4 * Stripe);
        (FakeFabric fake, Vault vault) = await PutAsync(content);
        string? bad = null;
        fake.Before = (door, method, _) => method == "read-stripe" && door == (bad ??= door)
            ? throw new TimeoutException()
            : Task.CompletedTask;
        Assert.Equal(content, await VaultTests.ReadAsync(vault, "k"));
        // It is avoided from then on: at most the stripes already under way met it.
        Assert.InRange(fake.Calls.Count(c => c == $"{bad} read-stripe"), 1, 4);
    }

    [Fact]
    public async Task A_coordinator_that_hangs_is_given_up_once_it_left_the_route()
    {
        byte[] content = VaultTests.Pattern(1000);
        var time = new FakeTimeProvider();
        (FakeFabric fake, Vault vault) = await PutAsync(content, time: time);
        string? hung = null;
        fake.Before = async (door, method, cancel) =>
        {
            if (method == "read-stripe" && door == (hung ??= door))
            {
                fake.Coordinators.TryRemove(door, out _);
                await Task.Delay(Timeout.InfiniteTimeSpan, cancel);
            }
        };
        Task<byte[]> read = VaultTests.ReadAsync(vault, "k");
        await time.AdvanceAsync(() => read.IsCompleted);
        Assert.Equal(content, await read);
    }

    [Theory]
    [InlineData(ErrorKind.TooFewShards)]
    [InlineData(ErrorKind.Corrupt)]
    public async Task What_cannot_be_read_fails_by_the_objects_name_and_goes_on_failing(ErrorKind kind)
    {
        byte[] content = VaultTests.Pattern(3 * Stripe);
        (FakeFabric fake, Vault vault) = await PutAsync(content);
        int reads = 0;
        fake.Before = (_, method, _) => method == "read-stripe" && Interlocked.Increment(ref reads) >= 2
            ? throw new ZeroStorException(kind, "only one shard is left")
            : Task.CompletedTask;
        await using ObjectStream stream = await vault.OpenReadAsync("k", null, None);
        byte[] buffer = new byte[Stripe];
        await stream.ReadExactlyAsync(buffer, None);
        Assert.True(content.AsSpan(0, Stripe).SequenceEqual(buffer));
        for (int i = 0; i < 2; i++)
        {
            ZeroStorException failure = await Assert.ThrowsAsync<ZeroStorException>(
                async () => await stream.ReadAtLeastAsync(buffer, 1, true, None));
            Assert.Equal(kind, failure.Kind);
            Assert.Contains($"{FakeFabric.VaultName}/k", failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_version_reclaimed_under_its_reader_is_not_found()
    {
        (FakeFabric fake, Vault vault) = await PutAsync(VaultTests.Pattern(3 * Stripe));
        await using ObjectStream stream = await vault.OpenReadAsync("k", null, None);
        fake.Reclaim();
        ZeroStorException failure = await Assert.ThrowsAsync<ZeroStorException>(
            async () => await stream.ReadExactlyAsync(new byte[10], None));
        Assert.Equal(ErrorKind.NotFound, failure.Kind);
    }

    [Fact]
    public async Task A_cancelled_read_can_be_repeated()
    {
        byte[] content = VaultTests.Pattern(1000);
        (FakeFabric fake, Vault vault) = await PutAsync(content);
        var gate = new TaskCompletionSource();
        fake.Before = (_, method, _) => method == "read-stripe" ? gate.Task : Task.CompletedTask;
        await using ObjectStream stream = await vault.OpenReadAsync("k", null, None);
        byte[] buffer = new byte[1000];
        using (var stop = new CancellationTokenSource())
        {
            Task<int> read = stream.ReadAsync(buffer, stop.Token).AsTask();
            await stop.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        }

        gate.SetResult();
        await stream.ReadExactlyAsync(buffer, None);
        Assert.Equal(content, buffer);
    }

    [Fact]
    public async Task A_range_behind_the_end_states_the_size()
    {
        (_, Vault vault) = await PutAsync(VaultTests.Pattern(1000));
        ZeroStorException failure = await Assert.ThrowsAsync<ZeroStorException>(
            () => vault.OpenReadAsync("k", new ReadOptions { Range = ByteRange.From(1000) }, None));
        Assert.Equal(ErrorKind.InvalidArgument, failure.Kind);
        Assert.Contains("1000 bytes", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_range_can_be_chosen_by_the_version_that_is_read()
    {
        byte[] content = VaultTests.Pattern(1000);
        (_, Vault vault) = await PutAsync(content);
        ObjectVersion? seen = null;
        await using ObjectStream stream = await vault.OpenReadAsync(
            "k",
            new ReadOptions
            {
                Range = ByteRange.From(10),
                RangeOf = version =>
                {
                    seen = version;
                    return ByteRange.OfLength(version.Size - 3, 3);
                },
            },
            None);
        Assert.Same(stream.Version, seen);
        Assert.Equal((997, 3), (stream.Offset, stream.Length));
        byte[] last = new byte[3];
        await stream.ReadExactlyAsync(last, None);
        Assert.Equal(content[997..], last);
        await using ObjectStream all = await vault.OpenReadAsync("k", new ReadOptions { RangeOf = _ => null }, None);
        Assert.Equal(1000, all.Length);
        await Assert.ThrowsAsync<InvalidOperationException>(() => vault.OpenReadAsync(
            "k", new ReadOptions { RangeOf = _ => throw new InvalidOperationException() }, None));
    }

    [Fact]
    public async Task A_manifest_that_contradicts_itself_is_refused_before_a_byte_is_read()
    {
        (FakeFabric fake, Vault vault) = await PutAsync(VaultTests.Pattern(1000));
        Manifest manifest = Manifest.Decode(fake.Commits.Single().Manifest);
        foreach (Manifest bad in new[]
        {
            manifest with { Size = 1001 },
            manifest with { Extents = [new Extent(1, 0, 1000)] },
            manifest with { Extents = [new Extent(0, 1, 1000)] },
            manifest with { Contents = [manifest.Contents[0] with { Stripes = [] }] },
        })
        {
            Assert.Equal(
                ErrorKind.Corrupt, Assert.Throws<ZeroStorException>(() => StripePlan.Check(bad, "k")).Kind);
        }

        StripePlan.Check(manifest, "k");
    }

    private static async Task<(FakeFabric Fake, Vault Vault)> PutAsync(
        byte[] content, string code = "2+1", TimeProvider? time = null)
    {
        var fake = new FakeFabric(code);
        var vault = new Vault(
            fake.Connect(time, o => o.Patience = time is null ? o.Patience : TimeSpan.MaxValue),
            FakeFabric.VaultName);
        await vault.PutAsync("k", new MemoryStream(content), null, None);
        return (fake, vault);
    }
}
