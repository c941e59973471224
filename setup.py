"""The ROS-free part: `pip install .` gives radgs_core and radgs-reg. CMakeLists.txt builds the ROS package."""

from setuptools import find_packages, setup

setup(
    name="radgs-core",
    version="0.1.0",
    description="Registers the vertebrae of a CT to two X-rays with radiative Gaussians.",
    license="Apache-2.0",
    license_files=["LICENSE"],
    classifiers=["License :: OSI Approved :: Apache Software License", "Programming Language :: Python :: 3"],
    packages=find_packages(include=["radgs_core", "radgs_core.*"]),
    package_data={"": ["*"]},
    python_requires=">=3.10",
    install_requires=[
        "lightning-fabric>=2.4",
        "nanodrr>=0.1.7",
        "nibabel>=5.0",
        "numpy>=1.24",
        "opencv-python>=4.8",
        "pydicom>=3.0.2",  # before, a series could name files outside its folder
        "PyYAML>=6.0",
        "python-gdcm>=3.0",  # CT is often stored as JPEG Lossless
        "rich>=13.0",
        "rosbags==0.11.9",  # replay depends on the order in which it reads, and on the bytes that it writes
        "safetensors>=0.4.3",
        "scikit-image>=0.22",
        "scipy>=1.11",
        "tensorboard>=2.17",
        "torch>=2.2",
        "transforms3d>=0.4.2",
        "warp-lang==1.19.0",  # kernels are injected as C++ headers, which is experimental
    ],
    entry_points={"console_scripts": ["radgs-reg = radgs_core.cli:main"]},
)
