using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;
using ZeroStor.Grains;
using ZeroStor.Volumes;

namespace ZeroStor.Cluster.Tests;

/// <summary>What a silo tells those who listen to meter <c>ZeroStor</c>: what was put and got, disk by disk, and the
/// calls of the catalog.</summary>
public sealed partial class InstrumentsTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Puts_gets_repair_scrub_disks_and_catalog_are_measured()
    {
        await using TestFabric fabric = await TestFabric.StartAsync();
        using var heard = new Listener(fabric);
        byte[] content = RandomNumberGenerator.GetBytes(2_500_000);
        Vault vault = fabric.Client.Vault("default");
        await vault.PutAsync("key", new ReadOnlySequence<byte>(content), cancel: Cancel);
        await using (ObjectStream read = await vault.OpenReadAsync("key", cancel: Cancel))
        {
            await read.CopyToAsync(Stream.Null, Cancel);
        }

        Assert.Equal(content.Length, heard.Sum("zerostor.stripe.io", "direction", "write"));
        Assert.Equal(content.Length, heard.Sum("zerostor.stripe.io", "direction", "read"));
        Assert.Equal(3, heard.Count("zerostor.stripe.write.duration"));
        Assert.Equal(3, heard.Count("zerostor.stripe.read.duration"));
        Assert.Equal(3, heard.Sum("zerostor.stripe.writes"));
        Assert.Equal(3, heard.Sum("zerostor.stripe.reads"));
        Assert.Equal(18, heard.Count("zerostor.disk.append.duration"));
        for (long disk = 1; disk <= 6; disk++)
        {
            Assert.Equal(3, heard.Count("zerostor.disk.append.duration", "disk", disk));
            Assert.InRange(heard.Count("zerostor.disk.sync.duration", "disk", disk), 1, int.MaxValue);
            Assert.InRange(heard.Sum("zerostor.disk.io", "disk", disk), content.Length / 4, content.Length);
        }

        Assert.Equal(1, heard.Count("zerostor.catalog.call.duration", "operation", "Commit"));
        Assert.InRange(heard.Count("zerostor.catalog.call.duration", "operation", "Head"), 1, int.MaxValue);
        Assert.Equal(0, heard.Sum("zerostor.catalog.call.failures"));

        Directory.Delete(Path.Combine(fabric.Folder, "disk02"), recursive: true);
        await Eventually.HoldsAsync(
            async () => (await fabric.Client.StatusAsync(Cancel)).Counters["shardsRepaired"] >= 3,
            "the lost disk's shards are made anew");
        Assert.InRange(heard.Sum("zerostor.repair.io", "direction", "write"), content.Length / 4, content.Length);
        Assert.InRange(heard.Sum("zerostor.repair.io", "direction", "read"), content.Length, long.MaxValue);
        Assert.Equal(3, heard.Sum("zerostor.repair.shards"));

        heard.Look();
        Assert.Equal(0, heard.Sum("zerostor.put.active"));
        Assert.Equal(0, heard.Sum("zerostor.put.memory"));
        Assert.Equal(6, heard.Count("zerostor.disk.queue.length"));
    }

    [Fact]
    public async Task Scrub_tells_how_much_it_read()
    {
        await using TestFabric fabric = await TestFabric.StartAsync(options => options.ScrubMaxMiBPerSecond = 0);
        using var heard = new Listener(fabric);
        byte[] content = RandomNumberGenerator.GetBytes(1_000_000);
        await fabric.Client.Vault("default").PutAsync("key", new ReadOnlySequence<byte>(content), cancel: Cancel);
        var order = new ScrubOrder { Name = 7, Disks = [new DiskId(1)] };
        await fabric.Grains.GetGrain<IFabricDoor>(0).BeginScrubAsync(order, Cancel);
        await Eventually.HoldsAsync(
            () =>
            {
                heard.Look();
                return Task.FromResult(heard.Sum("zerostor.scrub.io") >= content.Length / 4);
            },
            "the disk's one shard was read");
        Assert.InRange(heard.Sum("zerostor.scrub.io"), content.Length / 4, content.Length / 2);
    }

    [Fact]
    public void A_listener_that_throws_does_not_end_the_writing_of_a_disk()
    {
        using var instruments = new Instruments(TimeProvider.System);
        int heard = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (ReferenceEquals(instrument.Meter, instruments.Meter))
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => throw new InvalidOperationException($"{++heard}"));
        listener.Start();
        ((IDiskObserver)instruments).Synced(new DiskId(1), 1, TimeSpan.FromSeconds(1));
        Assert.Equal(1, heard);
    }

    [Fact]
    public async Task Every_instrument_has_a_unit_a_description_and_its_line_in_the_silos_README()
    {
        await using TestFabric fabric = await TestFabric.StartAsync();
        using var heard = new Listener(fabric);
        Assert.Equal(["{call}", "{content}", "{item}", "{put}", "{shard}", "{stripe}", "By", "s"], heard.Published
            .Select(i => i.Unit!).Distinct().Order(StringComparer.Ordinal).OrderBy(u => u[0] != '{'));
        Assert.All(heard.Published, i => Assert.EndsWith(".", i.Description, StringComparison.Ordinal));
        string readme = await File.ReadAllTextAsync(Path.Combine(Checkout.Root, "silo", "README.md"), Cancel);
        Assert.Equal(
            heard.Published.Select(i => i.Name).Distinct().Order(StringComparer.Ordinal),
            Named().Matches(readme).Select(m => m.Groups[1].Value).Distinct().Order(StringComparer.Ordinal));
    }

    [GeneratedRegex(@"^\| `(zerostor\.[a-z.]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Named();

    /// <summary>What one silo of this process measures, and no other.</summary>
    private sealed class Listener : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly ConcurrentQueue<(string Name, double Value, KeyValuePair<string, object?>[] Tags)> _heard = [];

        public Listener(TestFabric fabric)
        {
            Meter[] own =
            [
                fabric.Silo.GetRequiredService<Counters>().Meter, fabric.Silo.GetRequiredService<Instruments>().Meter,
            ];
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == "ZeroStor" && own.Contains(instrument.Meter))
                {
                    Published.Enqueue(instrument);
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((i, value, tags, _) => Note(i, value, tags));
            _listener.SetMeasurementEventCallback<double>((i, value, tags, _) => Note(i, value, tags));
            _listener.Start();
        }

        public ConcurrentQueue<Instrument> Published { get; } = [];

        /// <summary>Asks those that are only told when they are asked; what they said before is forgotten.</summary>
        public void Look()
        {
            var observed = Published.Where(i => i.IsObservable).Select(i => i.Name).ToHashSet();
            foreach ((string Name, double Value, KeyValuePair<string, object?>[] Tags) one in _heard.ToArray())
            {
                _heard.TryDequeue(out _);
                if (!observed.Contains(one.Name))
                {
                    _heard.Enqueue(one);
                }
            }

            _listener.RecordObservableInstruments();
        }

        public int Count(string name) => _heard.Count(h => h.Name == name);

        public int Count(string name, string tag, object value) => Of(name, tag, value).Count();

        public long Sum(string name) => (long)_heard.Where(h => h.Name == name).Sum(h => h.Value);

        public long Sum(string name, string tag, object value) => (long)Of(name, tag, value).Sum(h => h.Value);

        public void Dispose() => _listener.Dispose();

        private IEnumerable<(string Name, double Value, KeyValuePair<string, object?>[] Tags)> Of(
            string name, string tag, object value) =>
            _heard.Where(h => h.Name == name && h.Tags.Any(t => t.Key == tag && value.Equals(t.Value)));

        private void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
            _heard.Enqueue((instrument.Name, value, tags.ToArray()));
    }
}
