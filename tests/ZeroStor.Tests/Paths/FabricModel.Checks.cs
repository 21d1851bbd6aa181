using System.Collections.Immutable;
using ZeroStor.Paths;
using ZeroStor.Placement;
using ZeroStor.Tests.Proofs;

namespace ZeroStor.Tests.Paths;

/// <summary>What the model demands. It asks the disks themselves, past whatever they tell others.</summary>
internal sealed partial class FabricModel
{
    /// <summary>Rounds of repair that are enough for anything.</summary>
    private const int Rounds = 5;

    // The answer says how many homes have it. A former home counts while the map still names it.
    private async Task VerifySpreadAsync(Standing standing)
    {
        int held = 0;
        foreach ((int index, Place place) in Map.Group(standing.Ref.Group)!.Places.Index())
        {
            bool isHeld = false;
            foreach (DiskId disk in place.FormerHomes.Add(place.Home))
            {
                isHeld |= await HoldsAsync(disk, standing, index);
            }

            held += isHeld ? 1 : 0;
        }

        BrokenPromiseException.Unless(
            held >= Code.N - standing.Short && held >= standing.Written.WriteFloor,
            Promise.AcknowledgedIsSpread,
            $"{standing.Ref.Id} was acknowledged short of {standing.Short}, with a floor of "
            + $"{standing.Written.WriteFloor}, and {held} homes have it");
    }

    private async Task ReadAllAsync()
    {
        foreach (Standing standing in _stripes)
        {
            int offset = _random.Next(2) == 0 ? 0 : _random.Next(standing.Content.Length);
            int length = 1 + _random.Next(standing.Content.Length - offset);
            await ReadAsync(standing, offset, length, mustSucceed: AtFault() + standing.Short <= Code.M);
        }
    }

    private async Task ReadAsync(Standing standing, int offset, int length, bool mustSucceed)
    {
        var read = new ReadStripe(_homes, _fabric, _health, _time, _fabric) { Planted = _planted.InCore() };
        try
        {
            BufferSlice bytes = await read.RunAsync(
                _fabric.Read(standing.Written, standing.Ref, offset, length), Cancel);
            bool isRight = bytes.Span.SequenceEqual(standing.Content.AsSpan(offset, length));
            bytes.Release();
            BrokenPromiseException.Unless(
                isRight, Promise.ReadsAreRight, $"{standing.Ref.Id} was read with wrong bytes");
        }
        catch (ZeroStorException refusal)
        {
            BrokenPromiseException.Unless(
                !mustSucceed && refusal.Kind is (ErrorKind.TooFewShards or ErrorKind.Corrupt),
                Promise.ReadsAreRight,
                $"{standing.Ref.Id} lacks {standing.Short} shards and {AtFault()} disks: {refusal.Message}");
        }
    }

    private async Task VerifyWholeAsync(GroupId id, int[] places)
    {
        PlacementGroup group = Map.Group(id)!;
        foreach (Standing standing in _stripes.Where(s => s.Ref.Group == id))
        {
            foreach (int place in places)
            {
                BrokenPromiseException.Unless(
                    await HoldsAsync(group.Places[place].Home, standing, place),
                    Promise.WholeIsWhole,
                    $"place {place} of group {id} was called whole, and its home "
                    + $"{group.Places[place].Home} lacks its shard of {standing.Ref.Id}");
            }
        }
    }

    // No disk has a wrong shard, ever; and where no more than m are at fault, every home that is there and
    // honest has the right one.
    private async Task VerifyRepairedAsync(GroupId id)
    {
        ImmutableArray<Place> places = Map.Group(id)!.Places;
        foreach (Standing standing in _stripes.Where(s => s.Ref.Group == id))
        {
            bool isWhole = true;
            bool isRepairable = AtFault() + standing.Short <= Code.M;
            for (int place = 0; place < Code.N; place++)
            {
                ModelDisk home = _homes[places[place].Home];
                Truth truth = await _homes.LookAsync(home, standing.Ref.Id, place);
                bool isDue = isRepairable
                    && home is { IsThere: true, Conduct: Conduct.Honest }
                    && Entry(home).State == DiskState.Up;
                BrokenPromiseException.Unless(
                    truth == Truth.Right || (truth == Truth.Absent && !isDue),
                    Promise.RepairsAreRight,
                    $"after a repair place {place} of {standing.Ref.Id} is {truth} at {home.Address.Disk}");
                isWhole &= truth == Truth.Right;
            }

            standing.Short = isWhole ? 0 : standing.Short;
        }
    }

    // All who can have come back and are honest: nothing is left to repair, every place is whole, and a put
    // stands on all its homes.
    private async Task EndAsync()
    {
        foreach (ModelDisk disk in _homes.All.Where(d => !d.IsLost))
        {
            disk.Conduct = Conduct.Honest;
            await PlugInAsync(disk);
        }

        // Round by round as the scheduler: never fewer than k places of a group are whole.
        long left = 0;
        for (int round = 0; round < Rounds; round++)
        {
            foreach (ModelDisk lost in _homes.All.Where(d => d.IsLost))
            {
                Map = Replacement.Plan(Map, lost.Address.Disk) is { } change ? Map.With(change) : Map;
            }

            left = await RepairAsync();
        }

        bool isWhole = left == 0
            && _stripes.TrueForAll(s => s.Short == 0)
            && Map.Groups.All(g => g.Places.All(p => p.IsWhole));
        BrokenPromiseException.Unless(
            isWhole,
            Promise.RepairsAreRight,
            $"at the end {left} shards are left, or a place or a stripe is not whole");
        await ReadAllAsync();
    }

    private async Task<bool> HoldsAsync(DiskId disk, Standing standing, int place) =>
        await _homes.LookAsync(_homes[disk], standing.Ref.Id, place) == Truth.Right;
}
