using ZeroStor.Contracts;
using ZeroStor.Erasure;
using ZeroStor.Sealing;

namespace ZeroStor.CommandLine.Bench;

/// <summary>What all processors of this machine can do to stripes when they do nothing else: seal, code and
/// sum them, or open them, or rebuild the first m data shards and open them. By the fabric's own code, each
/// processor on one stripe of its own again and again, so that its bytes stay in the cache.</summary>
internal static class CodingLimit
{
    private const int Tries = 3;

    public static string NameOf(BenchOp op) => op switch
    {
        BenchOp.Put => "seal+code",
        BenchOp.Get => "open",
        _ => "decode+open",
    };

    /// <summary>Content bytes a second: the best of a few tries.</summary>
    public static double Measure(
        BenchOp op, Code code, int stripeBytes, TimeSpan time, CancellationToken cancel)
    {
        Worker[] workers =
        [
            .. Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Worker(op, code, stripeBytes)),
        ];
        double best = 0;
        for (int i = 0; i < Tries; i++)
        {
            cancel.ThrowIfCancellationRequested();
            double rate = workers
                .Select(w => Task.Factory.StartNew(
                    () => w.Run(time),
                    CancellationToken.None,
                    TaskCreationOptions.LongRunning,
                    TaskScheduler.Default))
                .ToArray()
                .Sum(t => t.GetAwaiter().GetResult());
            best = Math.Max(best, rate);
        }

        Array.ForEach(workers, w => w.Dispose());
        return best;
    }

    private sealed class Worker : IDisposable
    {
        private readonly BenchOp _op;
        private readonly Code _code;
        private readonly ContentKey _key;
        private readonly byte[] _content;
        private readonly byte[] _opened;
        private readonly BufferSlice _coded;
        private readonly int _sealedBytes;
        private readonly ReadOnlyMemory<byte>[] _shards;
        private readonly Memory<byte>[] _parity;
        private readonly Memory<byte>[] _wanted;
        private readonly ReadOnlyMemory<byte>[] _present;
        private readonly Sum128[] _sums;
        private readonly SealId _seal = SealId.New(SystemEntropy.Instance);

        public Worker(BenchOp op, Code code, int stripeBytes)
        {
            (_op, _code) = (op, code);
            using PrivateKeys own = PrivateKeys.Generate(new VaultId(1), suite: null, SystemEntropy.Instance);
            using VaultKeys keys = KeyRing.Create(own, Custody.Fabric, new Tick(1), SystemEntropy.Instance).Unlock(own);
            _key = keys.NewContentKey(
                ContentId.New(new Tick(1), SystemEntropy.Instance), SystemEntropy.Instance, out _);
            _content = new byte[stripeBytes];
            SystemEntropy.Instance.Fill(_content);
            _opened = new byte[stripeBytes];
            _sealedBytes = Geometry.PlainSealedBytes(stripeBytes);
            int shardBytes = Geometry.ShardBytes(code, _sealedBytes);
            _coded = BufferPool.Shared.RentSlice(shardBytes * code.N);
            _coded.Span.Clear();
            Memory<byte>[] shards =
                [.. Enumerable.Range(0, code.N).Select(p => _coded.Memory.Slice(p * shardBytes, shardBytes))];
            _shards = Array.ConvertAll(shards, s => (ReadOnlyMemory<byte>)s);
            _parity = shards[code.K..];
            int lost = Math.Min(code.K, code.M);
            _present = [.. _shards.Select((s, place) => place < lost ? default : s)];
            _wanted = [.. shards.Select((s, place) => place < lost ? s : default)];
            _sums = new Sum128[code.N];
            SealAndCode(_seal);
        }

        /// <summary>Content bytes a second.</summary>
        public double Run(TimeSpan time)
        {
            long began = TimeProvider.System.GetTimestamp();
            long bytes = 0;
            TimeSpan took;
            do
            {
                Once();
                bytes += _content.Length;
                took = TimeProvider.System.GetElapsedTime(began);
            }
            while (took < time);
            return bytes / took.TotalSeconds;
        }

        public void Dispose()
        {
            _key.Dispose();
            _coded.Release();
        }

        private void Once()
        {
            if (_op == BenchOp.Put)
            {
                // What is sealed again needs another key, and making that is a part of it.
                SealAndCode(SealId.New(SystemEntropy.Instance));
                return;
            }

            if (_op == BenchOp.GetDegraded)
            {
                ReedSolomon.For(_code).Reconstruct(_present, _wanted);
            }

            using StripeCipher cipher = _key.ForStripe(_seal, 0);
            cipher.Open(_content.Length, 0, _coded.Span[.._sealedBytes], _opened);
        }

        private void SealAndCode(SealId seal)
        {
            using StripeCipher cipher = _key.ForStripe(seal, 0);
            cipher.Seal(_content, _coded.Span[.._sealedBytes]);
            ReedSolomon.For(_code).Encode(_shards.AsSpan(0, _code.K), _parity);
            ShardSums.Compute(_shards, _sums);
        }
    }
}
