using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using ZeroStor.Client;

namespace ZeroStor.Cluster.Tests;

/// <summary>Promise 3 again and again: a silo process under puts, overwrites, deletes and gets is killed with -9 and
/// started, fifty times. After each kill every key is what the last acknowledged operation made of it; where one was
/// under way, what it was before or what that would have made of it, and from then on only that.
/// <c>ZEROSTOR_LOOPS</c> asks for more.</summary>
public sealed class KillLoopTests
{
    private const int UsualLoops = 50;
    private const int Writers = 4;
    private const int KeysPerWriter = 8;
    private const int MostOperations = 60;
    private const int MaxObjectBytes = 400_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static int Loops =>
        int.TryParse(
            Environment.GetEnvironmentVariable("ZEROSTOR_LOOPS"), CultureInfo.InvariantCulture, out int loops)
            ? loops
            : UsualLoops;

    [Fact]
    public async Task Each_key_is_what_was_acknowledged_last_however_often_the_silo_is_killed()
    {
        using var folder = new TemporaryFolder();
        using var silo = new SiloUnderTest(folder.Path, "--disks", "6", "--code", "4+2");
        var random = new Random(1);
        var clients = new List<ZeroStorClient>();
        Writer[] writers = [.. Enumerable.Range(0, Writers).Select(w => new Writer(w, KeysPerWriter))];
        for (int loop = 0; loop < Loops; loop++)
        {
            await silo.StartAsync();
            ZeroStorClient client = await ConnectAsync(silo);
            clients.Add(client);
            using var killed = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
            Vault vault = client.Vault("default");
            await Task.WhenAll(writers.Select(w => w.VerifyAsync(vault)));
            int until = writers.Sum(w => w.Operations) + random.Next(1, MostOperations);
            Task[] running = [.. writers.Select(w => w.RunUntilKilledAsync(vault, killed.Token))];
            while (writers.Sum(w => w.Operations) < until && !running.All(r => r.IsCompleted))
            {
                await Task.Yield();
            }

            silo.Kill();
            await killed.CancelAsync();
            await Task.WhenAll(running);
        }

        await silo.StartAsync();
        await using (ZeroStorClient client = await ConnectAsync(silo))
        {
            await Task.WhenAll(writers.Select(w => w.VerifyAsync(client.Vault("default"))));
        }

        await silo.StopAsync();
        await Task.WhenAll(clients.Select(c => c.DisposeAsync().AsTask()));
        int cut = writers.Sum(w => w.CutPuts);
        int done = writers.Sum(w => w.CutPutsDone);
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{Loops} kills, {writers.Sum(w => w.Operations)} operations, {cut} puts cut off, {done} of them done");
        Assert.InRange(cut, Loops / 5, int.MaxValue);
    }

    // What is under way when the silo is killed is given up then, and tries no more.
    private static Task<ZeroStorClient> ConnectAsync(SiloUnderTest silo) =>
        ZeroStorClient.ConnectAsync(
            options =>
            {
                options.Gateways.Add(silo.Gateway);
                options.Patience = TimeSpan.FromSeconds(1);
            },
            Cancel);

    /// <summary>Does one thing after the other to keys of its own, and knows what each may be.</summary>
    private sealed class Writer(int number, int keys)
    {
        private readonly Random _random = new(number + 100);

        // By key the hashes that it may have; null: it is not there. More than one only after a kill.
        private readonly Dictionary<string, HashSet<string?>> _may =
            Enumerable.Range(0, keys).ToDictionary(k => $"{number}.{k}", _ => new HashSet<string?> { null });

        // For who must find out what went wrong.
        private readonly List<string> _told = [];
        private int _operations;
        private (string Key, string Hash)? _cut;

        /// <summary>Those that were answered.</summary>
        public int Operations => Volatile.Read(ref _operations);

        public int CutPuts { get; private set; }

        public int CutPutsDone { get; private set; }

        public async Task RunUntilKilledAsync(Vault vault, CancellationToken killed)
        {
            try
            {
                while (true)
                {
                    await DoOneAsync(vault, $"{number}.{_random.Next(keys)}", killed);
                    Interlocked.Increment(ref _operations);
                }
            }
            catch (Exception failure) when (IsOfKill(failure))
            {
                // The silo is gone.
            }
        }

        public async Task VerifyAsync(Vault vault)
        {
            foreach ((string key, HashSet<string?> may) in _may)
            {
                string? found = await HashAsync(vault, key, Cancel);
                Assert.True(may.Contains(found), $"{key} is {found ?? "gone"}: {Told(key)}");
                _told.Add($"{key} found {found}");
                may.Clear();
                may.Add(found);
                if (_cut is { } cut && cut.Key == key && cut.Hash == found)
                {
                    CutPutsDone++;
                }
            }

            _cut = null;
        }

        private async Task DoOneAsync(Vault vault, string key, CancellationToken killed)
        {
            HashSet<string?> may = _may[key];
            switch (_random.Next(10))
            {
                case < 6:
                    byte[] content = new byte[_random.Next(MaxObjectBytes)];
                    _random.NextBytes(content);
                    await PutAsync(vault, key, content, may, killed);
                    break;
                case < 8:
                    string?[] before = [.. may];
                    may.Add(null);
                    _told.Add($"{key} to be deleted");
                    bool wasThere = await vault.DeleteAsync(key, cancel: killed).WaitAsync(killed);
                    _told.Add($"{key} deleted, {wasThere}");
                    Assert.True(before.Any(b => wasThere == b is not null), Told(key));
                    may.Clear();
                    may.Add(null);
                    break;
                default:
                    string? found = await HashAsync(vault, key, killed);
                    Assert.True(may.Contains(found), $"{key} is {found ?? "gone"}: {Told(key)}");
                    break;
            }
        }

        private async Task PutAsync(
            Vault vault, string key, byte[] content, HashSet<string?> may, CancellationToken killed)
        {
            string hash = Convert.ToHexString(SHA256.HashData(content));
            may.Add(hash);
            _told.Add($"{key} to be {hash}");
            try
            {
                await vault.PutAsync(key, new ReadOnlySequence<byte>(content), cancel: killed).WaitAsync(killed);
            }
            catch (Exception failure) when (IsOfKill(failure))
            {
                _told.Add($"{key} cut off: {failure.Message}");
                CutPuts++;
                _cut = (key, hash);
                throw;
            }

            _told.Add($"{key} put");
            may.Clear();
            may.Add(hash);
        }

        private string Told(string key) =>
            string.Join("; ", _told.Where(t => t.StartsWith(key + " ", StringComparison.Ordinal)));

        private static bool IsOfKill(Exception failure) =>
            failure is OperationCanceledException or ZeroStorException { IsTransient: true };

        private static async Task<string?> HashAsync(Vault vault, string key, CancellationToken cancel)
        {
            try
            {
                await using ObjectStream read = await vault.OpenReadAsync(key, cancel: cancel);
                return Convert.ToHexString(await SHA256.HashDataAsync(read, cancel));
            }
            catch (ZeroStorException failure) when (failure.Kind == ErrorKind.NotFound)
            {
                return null;
            }
        }
    }
}
