using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Client;

/// <summary>Finds the gateways that hang. To the network they look alive: their machine takes connections and
/// bytes. So when a call has no answer, every gateway is asked for its silo's name, which costs it nothing; the
/// calls go round the gateways, and who does not answer while most do is passed over for a while. Its silo's disks
/// are no coordinators meanwhile. A gateway that no silo has any more is passed over too: its silo was voted out, and
/// perhaps hangs still. Thread-safe.</summary>
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
    private readonly ConcurrentDictionary<string, IPEndPoint> _gatewayOf = new();
    private readonly ConcurrentDictionary<IPEndPoint, Silence> _silent = new();
    private Task<bool> _looking = Task.FromResult(false);

    /// <summary>Whether a silo did not answer lately.</summary>
    public bool IsSilent(string silo) => _gatewayOf.TryGetValue(silo, out IPEndPoint? gateway) && IsSilent(gateway);

    /// <summary>Asks all of them; one look at a time, whoever wants it. Never throws but for the caller's
    /// cancelling.</summary>
    /// <param name="known">The gateways of the fabric.</param>
    /// <param name="cancel">Gives up waiting.</param>
    /// <returns>Whether any is silent.</returns>
    public Task<bool> LookAsync(ImmutableArray<SiloGateway> known, CancellationToken cancel)
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

    private async Task<bool> AskAllAsync(ImmutableArray<SiloGateway> known)
    {
        foreach (SiloGateway gateway in known)
        {
            _gatewayOf[gateway.Silo] = IPEndPoint.Parse(gateway.Address);
        }

        IPEndPoint[] own = [.. (gateways?.All ?? []).Where(g => !IsSilent(g))];
        if (own.Length < 2 || known.IsEmpty)
        {
            return false;
        }

        string?[] answers = await Task.WhenAll(
            Enumerable.Range(0, own.Length * RoundsOfAsking).Select(_ => AskOneAsync()));
        var answered = answers.OfType<string>()
            .Select(silo => _gatewayOf.GetValueOrDefault(silo))
            .OfType<IPEndPoint>()
            .ToHashSet();
        IPEndPoint[] missing = [.. own.Where(g => !answered.Contains(g))];

        // Where most are silent, it is this side that is slow or cut off; or it reaches the silos by other addresses
        // than they say.
        if (missing.Length * 2 > own.Length)
        {
            return false;
        }

        foreach (IPEndPoint gateway in answered)
        {
            _silent.TryRemove(gateway, out _);
        }

        foreach (IPEndPoint gateway in missing)
        {
            Silence silence = _silent.AddOrUpdate(
                gateway,
                _ => new Silence(time.GetTimestamp(), FirstPassOver),
                (_, last) => new Silence(time.GetTimestamp(), Longer(last.PassOver)));
            gateways!.PassOver(gateway, silence.PassOver);
        }

        return _silent.Keys.Any(IsSilent);
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

    private bool IsSilent(IPEndPoint gateway) =>
        _silent.TryGetValue(gateway, out Silence silence)
        && time.GetElapsedTime(silence.Since) < silence.PassOver;

    private static TimeSpan Longer(TimeSpan last) => last * 2 < LongestPassOver ? last * 2 : LongestPassOver;

    private readonly record struct Silence(long Since, TimeSpan PassOver);
}
