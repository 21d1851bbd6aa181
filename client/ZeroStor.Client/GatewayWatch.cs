using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Client;

/// <summary>Finds the gateways that hang. To the network they look alive: their machine takes connections and
/// bytes. So when a call has no answer, every gateway is asked for its silo's name, which costs it nothing; the
/// calls go round the gateways, and who does not answer while others do is passed over for a while. Its silo's
/// disks are no coordinators meanwhile. Thread-safe.</summary>
internal sealed class GatewayWatch(IDoors doors, GatewayList? gateways, TimeProvider time)
{
    /// <summary>A silo that has a processor to run on answers in milliseconds.</summary>
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(1.5);

    /// <summary>How long one that did not answer is passed over the first time; each further time twice as
    /// long.</summary>
    private static readonly TimeSpan FirstPassOver = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan LongestPassOver = TimeSpan.FromMinutes(2);

    /// <summary>Other calls take their turns among the gateways too, so one round would miss some.</summary>
    private const int RoundsOfAsking = 2;

    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<string, Silence> _silent = new();
    private Task _looking = Task.CompletedTask;

    /// <summary>Whether a silo did not answer lately.</summary>
    public bool IsSilent(string silo) => _silent.TryGetValue(silo, out Silence silence) && !IsOver(silence);

    /// <summary>Asks all of them; one look at a time, whoever wants it. Never throws but for the caller's
    /// cancelling.</summary>
    /// <param name="known">The gateways of the fabric.</param>
    /// <param name="cancel">Gives up waiting.</param>
    public Task LookAsync(ImmutableArray<SiloGateway> known, CancellationToken cancel)
    {
        lock (_lock)
        {
            if (_looking.IsCompleted)
            {
                _looking = AskAllAsync(known);
            }

            return _looking.WaitAsync(cancel);
        }
    }

    private async Task AskAllAsync(ImmutableArray<SiloGateway> known)
    {
        // Where a silo says that it listens need not be where this client reaches it: then nothing is known of it.
        (string Silo, IPEndPoint Address)[] own =
        [
            .. known.Where(g => !IsSilent(g.Silo))
                .Select(g => (g.Silo, Address: IPEndPoint.Parse(g.Address)))
                .Where(g => gateways?.Has(g.Address) == true),
        ];
        if (own.Length < 2)
        {
            return;
        }

        string?[] answers = await Task.WhenAll(
            Enumerable.Range(0, own.Length * RoundsOfAsking).Select(_ => AskOneAsync()));
        var answered = answers.OfType<string>().ToHashSet();
        (string Silo, IPEndPoint Address)[] missing = [.. own.Where(g => !answered.Contains(g.Silo))];

        // Where most are silent, it is this side that is slow or cut off.
        if (missing.Length * 2 > own.Length)
        {
            return;
        }

        foreach (string silo in answered)
        {
            _silent.TryRemove(silo, out _);
        }

        foreach ((string silo, IPEndPoint address) in missing)
        {
            Silence silence = _silent.AddOrUpdate(
                silo,
                _ => new Silence(time.GetTimestamp(), FirstPassOver),
                (_, last) => new Silence(time.GetTimestamp(), Longer(last.PassOver)));
            gateways!.PassOver(address, silence.PassOver);
        }
    }

    private async Task<string?> AskOneAsync()
    {
        using var bound = new CancellationTokenSource(AnswerPatience, time);
        try
        {
            return await doors.Fabric.SiloAsync(bound.Token).WaitAsync(bound.Token);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return null;
        }
    }

    private bool IsOver(Silence silence) => time.GetElapsedTime(silence.Since) >= silence.PassOver;

    private static TimeSpan Longer(TimeSpan last) => last * 2 < LongestPassOver ? last * 2 : LongestPassOver;

    private readonly record struct Silence(long Since, TimeSpan PassOver);
}
