using ZeroStor.CommandLine;
using ZeroStor.Tests.Volumes;

namespace ZeroStor.Tests.Client.Zs;

/// <summary>What <c>zs disk check</c> ends with; what it finds is for <see cref="DiskCheckTests"/>.</summary>
public sealed class DiskCheckVerbTests
{
    [Fact]
    public async Task It_ends_with_what_it_found()
    {
        await using var bed = new DiskBed(DiskBed.Small with { VolumeBytes = 12_000 }) { LeavesDamage = true };
        await bed.PutNewAsync(4000);
        await bed.PutNewAsync(4000);
        await bed.PutNewAsync(4000);
        Assert.Equal(2, await RunAsync(bed.Folder));
        await bed.Disk.DisposeAsync();
        Assert.Equal(0, await RunAsync(bed.Folder));
        string volume = bed.VolumeFiles()[0];
        byte[] good = await File.ReadAllBytesAsync(volume, DiskBed.Cancel);
        byte[] bad = [.. good];
        bad[^1] ^= 1;
        await File.WriteAllBytesAsync(volume, bad, DiskBed.Cancel);
        Assert.Equal(1, await RunAsync(bed.Folder));
        Assert.Equal(bad, await File.ReadAllBytesAsync(volume, DiskBed.Cancel));
        Assert.Equal(1, await RunAsync(bed.Folder, "--repair-index"));
        Assert.Equal(good, await File.ReadAllBytesAsync(volume, DiskBed.Cancel));
        Assert.Equal(0, await RunAsync(bed.Folder));
    }

    [Fact]
    public async Task What_is_no_disk_and_what_was_interrupted_have_numbers_of_their_own()
    {
        await using var bed = new DiskBed();
        await bed.PutNewAsync();
        await bed.Disk.DisposeAsync();
        Assert.Equal(2, await RunAsync("/no/such/folder"));
        Assert.Equal(2, await RunAsync(Path.Combine(bed.Folder, "volumes")));
        Assert.Equal((int)Exit.Usage, await RunAsync());
        Assert.Equal((int)Exit.Interrupted, await Program.RunAsync(
            ["disk", "check", bed.Folder], new CancellationToken(canceled: true)));
    }

    private static Task<int> RunAsync(params string[] arguments) =>
        Program.RunAsync(["disk", "check", .. arguments], DiskBed.Cancel);
}
