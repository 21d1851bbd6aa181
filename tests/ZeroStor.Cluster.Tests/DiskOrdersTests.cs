using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;
using ZeroStor.Contracts.Inner;
using ZeroStor.Grains;

namespace ZeroStor.Cluster.Tests;

/// <summary>What operators say to disks, on real folders: added, replaced, removed and reset.</summary>
public sealed class DiskOrdersTests : IDisposable
{
    private readonly TemporaryFolder _mounts = new();
    private readonly Dictionary<string, byte[]> _objects = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _mounts.Dispose();

    [Fact]
    public async Task An_added_disk_takes_stripes_and_is_known_after_a_restart()
    {
        await using TestFabric fabric = await TestFabric.StartAsync();
        await PutAsync(fabric, 5);
        string mount = Mount("a");
        DiskAdded added = await fabric.Client.AddDiskAsync(new AddDisk { Path = mount + "/" }, Cancel);
        Assert.Equal((new DiskId(7), "silo1", mount, false), (added.Disk, added.Silo, added.Path, added.IsAdopted));
        Assert.Equal((6, 0), (added.Places, added.PlacesKept));
        await PutAsync(fabric, 30);
        DiskDetails details = await fabric.Client.ShowDiskAsync(added.Disk, Cancel);
        Assert.True(details.Shards > 0);
        Assert.Equal(("up", 6, 0, false), (details.Status.State, details.HomeOf, details.FormerHomeOf, details.IsManaged));
        await fabric.StopAsync();
        await fabric.StartSiloAsync();
        Assert.Equal(7, (await fabric.Client.ListDisksAsync(Cancel)).Count(d => d.State == "up"));
        Assert.Equal(details.Shards, (await fabric.Client.ShowDiskAsync(added.Disk, Cancel)).Shards);
        await VerifyAsync(fabric);
    }

    [Fact]
    public async Task An_added_disk_takes_the_places_of_a_lost_one_that_waits_for_a_home()
    {
        string lost = Mount("lost");
        await using TestFabric fabric = await TestFabric.StartAsync(options =>
        {
            options.Disks = 5;
            options.DiskPaths.Add(lost);
        });
        await PutAsync(fabric, 8);
        Directory.Delete(lost, recursive: true);
        await Eventually.HoldsAsync(async () => await StateAsync(fabric, 6) == "missing", "the disk is missing");
        await fabric.Client.AddDiskAsync(new AddDisk { Path = Mount("new"), Silo = "silo1" }, Cancel);
        await WholeAsync(fabric);
        Assert.Equal(0, (await fabric.Client.ShowDiskAsync(new DiskId(6), Cancel)).HomeOf);
        await VerifyAsync(fabric);
    }

    [Fact]
    public async Task An_empty_mount_is_made_anew_when_an_operator_says_so()
    {
        string mount = Mount("a");
        void Configure(ZeroStorOptions options)
        {
            options.Disks = 5;
            options.DiskPaths.Add(mount);
        }

        await using TestFabric fabric = await TestFabric.StartAsync(Configure);
        await PutAsync(fabric, 8);
        await fabric.StopAsync();
        Directory.Delete(mount, recursive: true);
        Mount("a");
        await fabric.StartSiloAsync(Configure);
        Assert.Equal("missing", await StateAsync(fabric, 6));
        DiskDetails missing = await fabric.Client.ShowDiskAsync(new DiskId(6), Cancel);
        Assert.Contains("is it mounted?", missing.Notes!.Why, StringComparison.Ordinal);
        ZeroStorException refusal = await RefusedAsync(() => fabric.Client.ResetDiskAsync(new DiskId(6), Cancel));
        Assert.Equal(ErrorKind.DiskOffline, refusal.Kind);
        Assert.Contains($"zs disk add {mount} --replace 6", refusal.Message, StringComparison.Ordinal);

        DiskAdded added = await fabric.Client.AddDiskAsync(
            new AddDisk { Path = mount, Replaced = new DiskId(6) }, Cancel);
        Assert.Equal((new DiskId(7), 6, 0), (added.Disk, added.Places, added.PlacesKept));
        await WholeAsync(fabric);
        await VerifyAsync(fabric);
        await fabric.StopAsync();
        await fabric.StartSiloAsync(Configure);
        Assert.Equal("up", await StateAsync(fabric, 7));
        await WholeAsync(fabric);
    }

    [Fact]
    public async Task A_disk_that_is_up_is_emptied_of_its_places_when_it_is_replaced_and_can_be_removed_then()
    {
        await using TestFabric fabric = await TestFabric.StartAsync();
        await PutAsync(fabric, 8);
        DiskAdded added = await fabric.Client.AddDiskAsync(
            new AddDisk { Path = Mount("a"), Replaced = new DiskId(3) }, Cancel);
        Assert.Equal((6, 0), (added.Places, added.PlacesKept));
        await WholeAsync(fabric);
        await Eventually.HoldsAsync(
            async () => (await fabric.Client.ShowDiskAsync(new DiskId(3), Cancel)).FormerHomeOf == 0,
            "it is needed no more");
        DiskDetails old = await fabric.Client.ShowDiskAsync(new DiskId(3), Cancel);
        Assert.Equal(("up", 0), (old.Status.State, old.HomeOf));
        Assert.Equal(0, (await fabric.Client.RemoveDiskAsync(new DiskId(3), cancel: Cancel)).PlacesShort);
        await WholeAsync(fabric);
        await VerifyAsync(fabric);
    }

    [Fact]
    public async Task What_cannot_be_a_disk_is_refused_with_a_sentence()
    {
        await using TestFabric fabric = await TestFabric.StartAsync();
        await using TestFabric other = await TestFabric.StartAsync();
        await other.StopAsync();
        string file = Path.Combine(_mounts.Path, "file");
        await File.WriteAllTextAsync(file, "x", Cancel);
        foreach ((string path, ErrorKind kind, string says) in new[]
        {
            ("data/a", ErrorKind.InvalidArgument, "from the root"),
            ("", ErrorKind.InvalidArgument, "from the root"),
            (file, ErrorKind.InvalidArgument, "is a file"),
            (Path.Combine(_mounts.Path, "absent"), ErrorKind.NotFound, "is it mounted?"),
            (_mounts.Path, ErrorKind.Corrupt, "a disk wants an empty folder"),
            (Path.Combine(other.Folder, "disk01"), ErrorKind.PreconditionFailed, "of another fabric"),
            (Path.Combine(fabric.Folder, "disk02"), ErrorKind.AlreadyExists, "is disk 2 already"),
        })
        {
            ZeroStorException refusal = await RefusedAsync(
                () => fabric.Client.AddDiskAsync(new AddDisk { Path = path }, Cancel));
            Assert.Equal(kind, refusal.Kind);
            Assert.Contains(says, refusal.Message, StringComparison.Ordinal);
        }

        string mount = Mount("a");
        Assert.Equal(
            ErrorKind.NotFound,
            (await RefusedAsync(() => fabric.Client.AddDiskAsync(
                new AddDisk { Path = mount, Silo = "nobody" }, Cancel))).Kind);
        Assert.Equal(
            ErrorKind.NotFound,
            (await RefusedAsync(() => fabric.Client.AddDiskAsync(
                new AddDisk { Path = mount, Replaced = new DiskId(99) }, Cancel))).Kind);
        Assert.Empty(Directory.EnumerateFileSystemEntries(mount));
        Assert.Equal(6, (await fabric.Client.ListDisksAsync(Cancel)).Length);
        foreach (Func<DiskId, Task> order in new Func<DiskId, Task>[]
        {
            d => fabric.Client.ShowDiskAsync(d, Cancel),
            d => fabric.Client.RemoveDiskAsync(d, cancel: Cancel),
            d => fabric.Client.ResetDiskAsync(d, Cancel),
            d => fabric.Client.BeginScrubAsync([d], Cancel),
        })
        {
            Assert.Equal(ErrorKind.NotFound, (await RefusedAsync(() => order(new DiskId(99)))).Kind);
        }

        Assert.Equal(
            ErrorKind.Forbidden,
            (await RefusedAsync(() => fabric.Grains.GetGrain<ISiloGrain>("silo1").DiskNotesAsync(
                new DiskId(1), Cancel))).Kind);
    }

    [Fact]
    public async Task A_removed_disks_places_go_to_others_and_its_folder_is_never_taken_in_again()
    {
        await using TestFabric fabric = await TestFabric.StartAsync(options => options.Disks = 7);
        await PutAsync(fabric, 8);
        await WholeAsync(fabric);
        var second = new DiskId(2);
        string folder = Path.Combine(fabric.Folder, "disk02");
        DiskRemoved removed = await fabric.Client.RemoveDiskAsync(second, cancel: Cancel);
        Assert.True(removed.PlacesMoved > 0);
        Assert.Equal((0, folder), (removed.PlacesShort, removed.Path));
        await WholeAsync(fabric);
        await VerifyAsync(fabric);
        DiskDetails shown = await fabric.Client.ShowDiskAsync(second, Cancel);
        Assert.Equal(("removed", 0), (shown.Status.State, shown.HomeOf));
        Assert.True(File.Exists(Path.Combine(folder, "superblock")));

        string elsewhere = Path.Combine(fabric.Folder, "elsewhere");
        Directory.Move(folder, elsewhere);
        await fabric.Silo.GetRequiredService<DiskOpener>().AdoptAsync(Cancel);
        Directory.Move(elsewhere, folder);
        await fabric.Silo.GetRequiredService<DiskOpener>().AdoptAsync(Cancel);
        Assert.Equal("removed", (await fabric.Client.ShowDiskAsync(second, Cancel)).Status.State);
        Assert.Equal(
            ErrorKind.PreconditionFailed,
            (await RefusedAsync(() => fabric.Client.AddDiskAsync(new AddDisk { Path = folder }, Cancel))).Kind);
        Assert.Equal(
            ErrorKind.PreconditionFailed,
            (await RefusedAsync(() => fabric.Client.ResetDiskAsync(second, Cancel))).Kind);

        // Named at a start it is refused, and the silo serves all the same; once it is gone it is another
        // disk.
        await fabric.StopAsync();
        await fabric.StartSiloAsync(options => options.Disks = 7);
        Assert.Equal(6, (await fabric.Client.ListDisksAsync(Cancel)).Length);
        await VerifyAsync(fabric);
        await fabric.StopAsync();
        Directory.Delete(folder, recursive: true);
        await fabric.StartSiloAsync(options => options.Disks = 7);
        DiskStatus made = Assert.Single(await fabric.Client.ListDisksAsync(Cancel), d => d.Path == folder);
        Assert.Equal((new DiskId(8), "up"), (made.Id, made.State));
        Assert.Equal("removed", (await fabric.Client.ShowDiskAsync(second, Cancel)).Status.State);
        await VerifyAsync(fabric);
    }

    [Fact]
    public async Task A_removed_mount_that_is_named_at_the_next_start_is_not_made_a_disk_by_itself()
    {
        string mount = Mount("a");
        void Configure(ZeroStorOptions options)
        {
            options.Disks = 6;
            options.DiskPaths.Add(mount);
        }

        await using TestFabric fabric = await TestFabric.StartAsync(Configure);
        DiskStatus disk = Assert.Single(await fabric.Client.ListDisksAsync(Cancel), d => d.Path == mount);
        await fabric.Client.RemoveDiskAsync(disk.Id, cancel: Cancel);
        await fabric.StopAsync();
        Directory.Delete(mount, recursive: true);
        await fabric.StartSiloAsync(Configure);
        Assert.Equal(6, (await fabric.Client.ListDisksAsync(Cancel)).Length);
        await fabric.StopAsync();
        Mount("a");
        await fabric.StartSiloAsync(Configure);
        Assert.Equal(6, (await fabric.Client.ListDisksAsync(Cancel)).Length);
        DiskAdded added = await fabric.Client.AddDiskAsync(new AddDisk { Path = mount }, Cancel);
        Assert.Equal(8u, added.Disk.Value);
    }

    [Fact]
    public async Task Without_a_spare_a_disk_is_removed_only_if_places_may_wait_and_never_below_k()
    {
        await using TestFabric fabric = await TestFabric.StartAsync();
        await PutAsync(fabric, 8);
        ZeroStorException refusal = await RefusedAsync(
            () => fabric.Client.RemoveDiskAsync(new DiskId(2), cancel: Cancel));
        Assert.Equal(ErrorKind.PolicyUnsatisfiable, refusal.Kind);
        Assert.Contains("6 groups would stay short", refusal.Message, StringComparison.Ordinal);
        Assert.Equal("up", await StateAsync(fabric, 2));
        foreach (uint disk in new uint[] { 2, 5 })
        {
            DiskRemoved removed = await fabric.Client.RemoveDiskAsync(new DiskId(disk), leaveShort: true, Cancel);
            Assert.Equal((0, 6), (removed.PlacesMoved, removed.PlacesShort));
        }

        refusal = await RefusedAsync(() => fabric.Client.RemoveDiskAsync(new DiskId(1), leaveShort: true, Cancel));
        Assert.Equal(ErrorKind.PolicyUnsatisfiable, refusal.Kind);
        await VerifyAsync(fabric);
        await fabric.Client.AddDiskAsync(new AddDisk { Path = Mount("a") }, Cancel);
        await fabric.Client.AddDiskAsync(new AddDisk { Path = Mount("b") }, Cancel);
        await WholeAsync(fabric);
        await VerifyAsync(fabric);
    }

    [Fact]
    public async Task A_disk_that_failed_a_write_is_reset_when_the_cause_is_gone_and_gets_its_places_again()
    {
        await using TestFabric fabric = await TestFabric.StartAsync(options => options.VolumeBytes = 1 << 20);
        await PutAsync(fabric, 8);

        // The next volume cannot be made where its folder is gone; what is open goes on being read.
        string volumes = Path.Combine(fabric.Folder, "disk04", "volumes");
        Directory.Move(volumes, volumes + "-away");
        await PutAsync(fabric, 30);
        await Eventually.HoldsAsync(async () => await StateAsync(fabric, 4) == "readOnly", "the disk is read-only");
        await Eventually.HoldsAsync(
            async () => (await fabric.Client.StatusAsync(Cancel)).Notices.Any(
                n => n.Contains("zs disk reset 4", StringComparison.Ordinal)),
            "the map has it");
        DiskDetails details = await fabric.Client.ShowDiskAsync(new DiskId(4), Cancel);
        Assert.Contains("takes no writes since", details.Notes!.Why, StringComparison.Ordinal);
        Assert.True(details.Shards > 0);

        ZeroStorException refusal = await RefusedAsync(() => fabric.Client.ResetDiskAsync(new DiskId(4), Cancel));
        Assert.Equal(ErrorKind.DiskFailed, refusal.Kind);
        Assert.Equal("missing", await StateAsync(fabric, 4));
        await VerifyAsync(fabric);

        Directory.Move(volumes + "-away", volumes);
        DiskReset reset = await fabric.Client.ResetDiskAsync(new DiskId(4), Cancel);
        Assert.Equal(6, reset.Places);
        Assert.Equal("up", await StateAsync(fabric, 4));
        Assert.True((await fabric.Client.ShowDiskAsync(new DiskId(4), Cancel)).Claim > details.Claim);
        await WholeAsync(fabric);
        await VerifyAsync(fabric);
        Assert.True((await fabric.Client.ResetDiskAsync(new DiskId(4), Cancel)).WasUp);
    }

    [Fact]
    public async Task A_reset_disks_places_return_from_newcomers_that_are_not_whole()
    {
        await using TestFabric fabric = await TestFabric.StartAsync(options =>
        {
            options.VolumeBytes = 1 << 20;
            options.RepairMaxMiBPerSecond = 1;
        });
        await PutAsync(fabric, 40);
        string volumes = Path.Combine(fabric.Folder, "disk04", "volumes");
        Directory.Move(volumes, volumes + "-away");
        await PutAsync(fabric, 20);
        await Eventually.HoldsAsync(
            async () => (await fabric.Client.StatusAsync(Cancel)).Notices.Any(
                n => n.Contains("zs disk reset 4", StringComparison.Ordinal)),
            "the disk is read-only");
        Directory.Move(volumes + "-away", volumes);
        await fabric.Client.AddDiskAsync(new AddDisk { Path = Mount("a"), Replaced = new DiskId(4) }, Cancel);
        Assert.Equal(0, (await fabric.Client.ShowDiskAsync(new DiskId(4), Cancel)).HomeOf);
        DiskReset reset = await fabric.Client.ResetDiskAsync(new DiskId(4), Cancel);
        Assert.False(reset.WasUp);
        Assert.True(reset.Places > 0);
        await fabric.Client.RepairAsync(hurry: true, Cancel);
        await WholeAsync(fabric);
        await VerifyAsync(fabric);
    }

    [Fact]
    public async Task A_missing_disk_is_looked_for_again_at_once_and_one_from_elsewhere_is_taken_in_by_its_number()
    {
        string mount = Mount("a");
        await using TestFabric fabric = await TestFabric.StartAsync(options =>
        {
            options.Disks = 5;
            options.DiskPaths.Add(mount);
        });
        await PutAsync(fabric, 8);
        Directory.Move(mount, mount + "-away");
        await Eventually.HoldsAsync(async () => await StateAsync(fabric, 6) == "missing", "the disk is missing");
        ZeroStorException refusal = await RefusedAsync(() => fabric.Client.ResetDiskAsync(new DiskId(6), Cancel));
        Assert.Contains($"there is no folder {mount}", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(
            ErrorKind.DiskFailed, (await RefusedAsync(() => fabric.Client.BeginScrubAsync([new(6)], Cancel))).Kind);

        DiskAdded added = await fabric.Client.AddDiskAsync(new AddDisk { Path = mount + "-away" }, Cancel);
        Assert.Equal((new DiskId(6), true, 6), (added.Disk, added.IsAdopted, added.Places));
        await WholeAsync(fabric);
        Directory.Move(mount + "-away", mount + "-here");
        await Eventually.HoldsAsync(async () => await StateAsync(fabric, 6) == "missing", "the disk is missing");
        Directory.Move(mount + "-here", mount + "-away");
        Assert.Equal(6, (await fabric.Client.ResetDiskAsync(new DiskId(6), Cancel)).Places);
        Assert.Equal("up", await StateAsync(fabric, 6));
        await fabric.StopAsync();
        await fabric.StartSiloAsync(options => options.Disks = 5);
        Assert.Equal("up", await StateAsync(fabric, 6));
        await VerifyAsync(fabric);
    }

    private static Task<ZeroStorException> RefusedAsync(Func<Task> order) =>
        Assert.ThrowsAsync<ZeroStorException>(order);

    private static async Task<string> StateAsync(TestFabric fabric, uint disk) =>
        (await fabric.Client.ShowDiskAsync(new DiskId(disk), Cancel)).Status.State;

    private static Task WholeAsync(TestFabric fabric) => Eventually.HoldsAsync(
        async () =>
        {
            Ledger ledger = (await fabric.Client.StatusAsync(Cancel)).Ledger;
            RepairProgress progress = await fabric.Client.RepairAsync(cancel: Cancel);
            return ledger.Whole == ledger.Stripes && ledger.Stripes > 0 && progress.GroupsToRepair == 0;
        },
        "every stripe has all its shards");

    private string Mount(string name) => Directory.CreateDirectory(Path.Combine(_mounts.Path, name)).FullName;

    private async Task PutAsync(TestFabric fabric, int objects)
    {
        for (int i = 0; i < objects; i++)
        {
            string key = $"key{_objects.Count}";
            byte[] content = RandomNumberGenerator.GetBytes(50_000 + (i * 20_000));
            await fabric.Client.Vault("default").PutAsync(
                key, new ReadOnlySequence<byte>(content), cancel: Cancel);
            _objects[key] = content;
        }
    }

    private async Task VerifyAsync(TestFabric fabric)
    {
        foreach ((string key, byte[] content) in _objects)
        {
            await using ObjectStream read = await fabric.Client.Vault("default").OpenReadAsync(key, cancel: Cancel);
            using var all = new MemoryStream();
            await read.CopyToAsync(all, Cancel);
            Assert.Equal(content, all.ToArray());
        }
    }
}
